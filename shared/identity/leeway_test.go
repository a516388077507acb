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

// The clocks of two processes may be five seconds apart.
func TestClocksMayDifferByFiveSeconds(t *testing.T) {
	t.Parallel()
	signer, issued := identitytest.New(t), time.Now().Truncate(time.Second)
	token := signer.Sign(identitytest.Claims(issued, uuid.New(), identity.Citizen, uuid.New()))
	for name, c := range map[string]struct {
		now  time.Time
		want error
	}{
		"4 s before its issue": {issued.Add(-4 * time.Second), nil},
		"7 s before its issue": {issued.Add(-7 * time.Second), identity.ErrInvalid},
		"4 s after its end":    {issued.Add(time.Hour + 4*time.Second), nil},
		"7 s after its end":    {issued.Add(time.Hour + 7*time.Second), identity.ErrExpired},
	} {
		v, err := identity.NewVerifier(identity.Config{
			PublicKeys: signer.PublicKeys(), Issuer: identitytest.Issuer, Audience: identitytest.Audience}, timestamp.NewManual(c.now))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(token, identity.ScopeAccess); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}
