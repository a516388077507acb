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

// A token that was checked before is
// accepted no longer, and for no other scope, than at the first time.
func TestARememberedTokenKeepsItsEndAndItsScope(t *testing.T) {
	t.Parallel()
	signer := identitytest.New(t)
	now := timestamp.NewManual(time.Now())
	v, err := identity.NewVerifier(identity.Config{
		PublicKeys: signer.PublicKeys(), Issuer: identitytest.Issuer, Audience: identitytest.Audience,
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	token := signer.Token(uuid.New(), identity.Citizen, uuid.New())
	for range 2 {
		if _, err := v.Verify(token, identity.ScopeAccess); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.Verify(token, "password_reset"); !errors.Is(err, identity.ErrInvalid) {
		t.Errorf("as another scope: %v", err)
	}
	if _, err := v.Verify(token+"A", identity.ScopeAccess); !errors.Is(err, identity.ErrInvalid) {
		t.Errorf("with one more letter: %v", err)
	}
	now.Advance(61 * time.Minute)
	if _, err := v.Verify(token, identity.ScopeAccess); !errors.Is(err, identity.ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
}
