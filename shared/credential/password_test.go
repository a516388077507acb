package credential_test

import (
	"context"
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/bcrypt"

	"github.com/lafaekstreet/backend/shared/credential"
)

func TestHashAndCheck(t *testing.T) {
	t.Parallel()
	h := credential.NewHasher(credential.PasswordConfig{Concurrent: 1})
	long := strings.Repeat("hau-nia liafuan ", 8) // 128 bytes: bcrypt would have cut it at 72
	hash, err := h.Hash(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	old, err := bcrypt.GenerateFromPassword([]byte("migrated-one"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := argon2id.CreateHash("weak-one", &argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		hash, password string
		want           credential.Verdict
	}{
		"right":            {hash, long, credential.Verdict{Matches: true}},
		"same first 72":    {hash, long[:72], credential.Verdict{}},
		"last differs":     {hash, long[:127] + "x", credential.Verdict{}},
		"bcrypt, right":    {string(old), "migrated-one", credential.Verdict{Matches: true, Outdated: true}},
		"bcrypt, wrong":    {string(old), "migrated-two", credential.Verdict{}},
		"bcrypt, too long": {string(old), long, credential.Verdict{}},
		"weak parameters":  {weak, "weak-one", credential.Verdict{Matches: true, Outdated: true}},
		"nobody":           {"", long, credential.Verdict{}},
	} {
		got, err := h.Check(t.Context(), tt.hash, tt.password)
		if err != nil || got != tt.want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, tt.want)
		}
	}
}

// A keyboard may send a letter with an accent as one character or as two.
func TestPasswordsAreComparedInOneUnicodeForm(t *testing.T) {
	t.Parallel()
	h := credential.NewHasher(credential.PasswordConfig{Concurrent: 1})
	const composed, decomposed = "Li\u00e7a-K\u00e1-2030", "Lic\u0327a-Ka\u0301-2030"
	hash, err := h.Hash(t.Context(), decomposed)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := argon2id.CreateHash(decomposed, &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	salted, err := h.HashWith(t.Context(), decomposed, make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		hash, password string
		want           credential.Verdict
	}{
		"with a given salt":                  {salted, composed, credential.Verdict{Matches: true}},
		"composed":                           {hash, composed, credential.Verdict{Matches: true}},
		"decomposed":                         {hash, decomposed, credential.Verdict{Matches: true}},
		"without accents":                    {hash, "Lica-Ka-2030", credential.Verdict{}},
		"hash of an earlier version":         {raw, decomposed, credential.Verdict{Matches: true, Outdated: true}},
		"hash of an earlier version, others": {raw, composed, credential.Verdict{Matches: true, Outdated: true}},
	} {
		got, err := h.Check(t.Context(), tt.hash, tt.password)
		if err != nil || got != tt.want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, tt.want)
		}
	}
}

func TestHashWithASaltIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	h := credential.NewHasher(credential.PasswordConfig{Concurrent: 1})
	salt := []byte("sixteen bytes!!!")
	first, err := h.HashWith(t.Context(), "rua-Aimutin-42", salt)
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.HashWith(t.Context(), "rua-Aimutin-42", salt)
	if err != nil || again != first {
		t.Errorf("%s and %s, %v", first, again, err)
	}
	if v, err := h.Check(t.Context(), first, "rua-Aimutin-42"); err != nil || v != (credential.Verdict{Matches: true}) {
		t.Errorf("checked: %+v, %v", v, err)
	}
}

func TestWaitingForASlotEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	h := credential.NewHasher(credential.PasswordConfig{Concurrent: 1})
	release := credential.Occupy(h)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(ctx, "never hashed"); err == nil {
		t.Error("hashed without a slot")
	}
	release()
	if _, err := h.Hash(t.Context(), "hashed now"); err != nil {
		t.Error(err)
	}
}

func TestWeak(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]credential.Weakness{
		"short":                  credential.TooShort,
		"rua-A42":                credential.TooShort,
		"rua-Ai42":               "",
		"ábçdéfgh9":              "",
		strings.Repeat("ã", 129): credential.TooLong,
		strings.Repeat("ã9", 64): "",
		"Ana.Santos@example.tl":  credential.IsEmail,
		"Ana.Santos":             credential.IsEmail,
		"Password123":            credential.Common,
		"TimorLeste":             credential.Common,
		"aaaaaaaaaaaa":           credential.Common,
		"23456789":               credential.Common,
		"hgfedcba":               credential.Common,
		"rua-Aimutin-42":         "",
	} {
		if got := credential.Weak(given, "ana.santos@example.tl"); got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
	}
}
