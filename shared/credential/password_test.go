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
