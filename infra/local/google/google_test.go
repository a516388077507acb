package google_test

import (
	"context"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/google"
)

func start(t *testing.T, opts google.Options) *google.Server {
	t.Helper()
	s, err := google.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func mint(t *testing.T, s *google.Server, id google.Identity) string {
	t.Helper()
	token, err := s.Mint(id)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// go-oidc, the library that the backend uses, verifies the tokens.
func TestTokensVerifyUnderThePublishedKeys(t *testing.T) {
	t.Parallel()
	s, ctx := start(t, google.Options{}), context.Background()
	provider, err := oidc.NewProvider(ctx, s.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: google.DefaultClientID})
	ana := google.Identity{Email: "ana@example.tl", Name: "Ana"}
	token, err := verifier.Verify(ctx, mint(t, s, ana))
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
		Name     string `json:"name"`
	}
	if err := token.Claims(&claims); err != nil || claims.Email != "ana@example.tl" || !claims.Verified || claims.Name != "Ana" || len(token.Subject) != 21 {
		t.Errorf("claims %+v sub %s, %v", claims, token.Subject, err)
	}
	for name, bad := range map[string]google.Identity{
		"expired":      {Email: "a@b.tl", Life: -time.Minute},
		"other client": {Email: "a@b.tl", Audience: "else"},
		"other issuer": {Email: "a@b.tl", Issuer: "https://evil.example"},
	} {
		if _, err := verifier.Verify(ctx, mint(t, s, bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	before := mint(t, s, ana)
	if err := s.Rotate(false); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"the old key": before, "the new key": mint(t, s, ana)} {
		if _, err := verifier.Verify(ctx, token); err != nil {
			t.Errorf("a token under %s after the rotation: %v", name, err)
		}
	}
	if err := s.Rotate(true); err != nil {
		t.Fatal(err)
	}
	fresh := oidc.NewVerifier(s.Issuer(), oidc.NewRemoteKeySet(ctx, s.KeysURL()), &oidc.Config{ClientID: google.DefaultClientID})
	if _, err := fresh.Verify(ctx, before); err == nil {
		t.Error("a dropped key is still published")
	}
}

func TestKeySurvivesARestart(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), context.Background()
	s := start(t, google.Options{Dir: dir, Issuer: "https://accounts.google.com"})
	token := mint(t, s, google.Identity{Email: "ana@example.tl"})
	_ = s.Close()
	again := start(t, google.Options{Dir: dir, Issuer: "https://accounts.google.com"})
	verifier := oidc.NewVerifier(again.Issuer(), oidc.NewRemoteKeySet(ctx, again.KeysURL()), &oidc.Config{ClientID: google.DefaultClientID})
	if _, err := verifier.Verify(ctx, token); err != nil {
		t.Errorf("a token from before the restart: %v", err)
	}
}

func TestFaultsFailOneRead(t *testing.T) {
	t.Parallel()
	set := faults.NewSet()
	s := start(t, google.Options{Faults: set})
	token := mint(t, s, google.Identity{Email: "ana@example.tl"})
	for _, mode := range faults.Modes() {
		if err := set.Add(faults.Fault{Service: "google", Operation: "Keys", Mode: mode}); err != nil {
			t.Fatal(err)
		}
		timeout := time.Minute
		if mode == faults.Timeout {
			timeout = 200 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		verifier := oidc.NewVerifier(s.Issuer(), oidc.NewRemoteKeySet(ctx, s.KeysURL()), &oidc.Config{ClientID: google.DefaultClientID})
		// DropReply fails no read: net/http repeats a GET whose connection was closed without an answer.
		if _, err := verifier.Verify(ctx, token); err == nil && mode != faults.DropReply {
			t.Errorf("%s: the token was verified without the keys", mode)
		}
		cancel()
		set.Clear()
	}
}
