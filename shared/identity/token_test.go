package identity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func TestVerifierTakesOnlyItsOwn(t *testing.T) {
	t.Parallel()
	signer, stranger := identitytest.New(t), identitytest.New(t)
	v, err := identity.NewVerifier(identity.Config{
		PublicKeys: signer.PublicKeys(), Issuer: identitytest.Issuer, Audience: identitytest.Audience}, timestamp.System{})
	if err != nil {
		t.Fatal(err)
	}
	good := identitytest.Claims(time.Now(), uuid.New(), identity.Citizen, uuid.New())
	spoiled := func(spoil func(*identity.Claims)) string {
		c := good
		spoil(&c)
		return signer.Sign(c)
	}
	for name, tt := range map[string]struct {
		token string
		want  error
	}{
		"good":           {signer.Sign(good), nil},
		"stranger's key": {stranger.Sign(good), identity.ErrInvalid},
		"other issuer":   {spoiled(func(c *identity.Claims) { c.Issuer = "https://elsewhere" }), identity.ErrInvalid},
		"other audience": {spoiled(func(c *identity.Claims) { c.Audience = []string{"other"} }), identity.ErrInvalid},
		"other scope":    {spoiled(func(c *identity.Claims) { c.Scope = "verify_email" }), identity.ErrInvalid},
		"no subject":     {spoiled(func(c *identity.Claims) { c.Subject = "" }), identity.ErrInvalid},
		"no expiry":      {spoiled(func(c *identity.Claims) { c.ExpiresAt = nil }), identity.ErrInvalid},
		"expired": {signer.Sign(identitytest.Claims(time.Now().Add(-2*time.Hour), uuid.New(), identity.Citizen, uuid.New())),
			identity.ErrExpired},
		"empty": {"", identity.ErrInvalid},
	} {
		if _, err := v.Verify(tt.token, identity.ScopeAccess); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}
