package auth_test

import (
	"sync"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/google"
	"github.com/lafaekstreet/backend/shared/config"
)

type googleSystem struct {
	*system
	google *google.Server
	faults *faults.Set
}

func withGoogle(t *testing.T) *googleSystem {
	t.Helper()
	set := faults.NewSet()
	provider, err := google.Start(google.Options{Faults: set})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := provider.Close(); err != nil {
			t.Error(err)
		}
	})
	env := config.Env{"GOOGLE_CLIENT_IDS": "another-app," + google.DefaultClientID, "GOOGLE_ISSUER": provider.Issuer(),
		"GOOGLE_KEYS_URL": provider.KeysURL()}
	return &googleSystem{system: newSystem(t, unlimited(), env), google: provider, faults: set}
}

func (s *googleSystem) signIn(id google.Identity) answer {
	s.t.Helper()
	return s.post("/auth/google", fields{"idToken": s.idToken(id)})
}

func (s *googleSystem) idToken(id google.Identity) string {
	s.t.Helper()
	token, err := s.google.Mint(id)
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

func (a answer) user(name string) any {
	user, _ := a.body["user"].(map[string]any)
	return user[name]
}

func TestGoogleMakesAnAccountAndFindsItAgain(t *testing.T) {
	t.Parallel()
	s := withGoogle(t)
	first := s.expect(s.signIn(google.Identity{Email: "Ana@Example.tl", Subject: "1", Name: "Ana Santos"}), 200, "")
	if first.body["is_new_user"] != true || first.user("auth_provider") != "google" || first.user("is_verified") != true ||
		first.user("email") != "ana@example.tl" || first.user("full_name") != "Ana Santos" {
		t.Errorf("first: %s", first.raw)
	}
	// Google's subject is who they are: the address may change.
	again := s.expect(s.signIn(google.Identity{Email: "ana.new@example.tl", Subject: "1"}), 200, "")
	if again.body["is_new_user"] != false || again.user("id") != first.user("id") || again.user("email") != "ana@example.tl" {
		t.Errorf("again: %s", again.raw)
	}
	s.expect(s.signIn(google.Identity{Email: "ana@example.tl", Subject: "2"}), 403, "google_account_mismatch")
}

func TestGoogleLinksByAddress(t *testing.T) {
	t.Parallel()
	s := withGoogle(t)
	mine := s.signedUp("ana@example.tl")
	linked := s.expect(s.signIn(google.Identity{Email: "ana@example.tl"}), 200, "")
	if linked.user("id") != mine.user("id") || linked.body["is_new_user"] != false || linked.user("auth_provider") != "email" {
		t.Errorf("linked: %s", linked.raw)
	}
	s.loggedIn("ana@example.tl") // a confirmed account keeps its password

	// Somebody registers an address that is not theirs and waits for its owner.
	code := s.registered("rui@example.tl")
	taken := s.expect(s.signIn(google.Identity{Email: "rui@example.tl"}), 200, "")
	if taken.user("auth_provider") != "google" {
		t.Errorf("linked over an unconfirmed account: %s", taken.raw)
	}
	s.expect(s.post("/auth/login", fields{"email": "rui@example.tl", "password": goodPassword}), 401, "invalid_credentials")
	_ = code // the owner's own mailbox; confirming again changes nothing
}

func TestGoogleTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	s := withGoogle(t)
	for name, tt := range map[string]struct {
		id     google.Identity
		status int
		code   string
	}{
		"another app's":    {google.Identity{Email: "a@example.tl", Audience: "not-ours"}, 401, "google_token_invalid"},
		"another issuer's": {google.Identity{Email: "a@example.tl", Issuer: "https://evil.example"}, 401, "google_token_invalid"},
		"expired":          {google.Identity{Email: "a@example.tl", Life: -time.Minute}, 401, "google_token_invalid"},
		"unverified":       {google.Identity{Email: "a@example.tl", Unverified: true}, 403, "google_email_unverified"},
	} {
		a := s.signIn(tt.id)
		if a.status != tt.status || a.code() != tt.code {
			t.Errorf("%s: %d %s, want %d %s", name, a.status, a.code(), tt.status, tt.code)
		}
	}
	s.expect(s.post("/auth/google", fields{"credential": "a.b.c"}), 401, "google_token_invalid")
	own := s.signedUp("ana@example.tl").text("access_token")
	s.expect(s.post("/auth/google", fields{"token": own}), 401, "google_token_invalid")
}

func TestGoogleKeysRotateAndFail(t *testing.T) {
	t.Parallel()
	s := withGoogle(t)
	s.expect(s.signIn(google.Identity{Email: "ana@example.tl"}), 200, "")
	if err := s.google.Rotate(false); err != nil {
		t.Fatal(err)
	}
	s.expect(s.signIn(google.Identity{Email: "ana@example.tl"}), 200, "")
	if err := s.google.Rotate(true); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []faults.Mode{faults.Error, faults.Malformed} {
		if err := s.faults.Add(faults.Fault{Service: "google", Operation: "Keys", Mode: mode}); err != nil {
			t.Fatal(err)
		}
		a := s.expect(s.signIn(google.Identity{Email: "ana@example.tl"}), 503, "google_unavailable")
		if a.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	s.expect(s.signIn(google.Identity{Email: "ana@example.tl"}), 200, "")
	s.exec(`UPDATE users SET suspended_at = now() WHERE email = 'ana@example.tl'`)
	s.expect(s.signIn(google.Identity{Email: "ana@example.tl"}), 403, "account_suspended")
}

func TestTwoFirstSignInsMakeOneAccount(t *testing.T) {
	t.Parallel()
	s := withGoogle(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if a := s.signIn(google.Identity{Email: "ana@example.tl", Subject: "1"}); a.status != 200 {
				t.Errorf("%d %s", a.status, a.raw)
			}
		})
	}
	wg.Wait()
	var people int
	if err := s.db.QueryRow(t.Context(), `SELECT count(*) FROM users`).Scan(&people); err != nil || people != 1 {
		t.Errorf("%d accounts (%v)", people, err)
	}
}
