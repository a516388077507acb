package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// No text but one signed with our key is an access token, and none makes the
// verifier fall over.
func FuzzVerify(f *testing.F) {
	signer := identitytest.New(f)
	v, err := identity.NewVerifier(identity.Config{PublicKeys: signer.PublicKeys(), Issuer: identitytest.Issuer,
		Audience: identitytest.Audience}, timestamp.System{})
	if err != nil {
		f.Fatal(err)
	}
	good := signer.Token(uuid.New(), identity.Citizen, uuid.New())
	parts := strings.Split(good, ".")
	late := signer.Sign(identitytest.Claims(time.Now().Add(-48*time.Hour), uuid.New(), identity.Admin, uuid.New()))
	for _, seed := range []string{good, late, "", ".", "..", "a.b.c", parts[0] + "." + parts[1] + ".", "." + parts[1] + "." + parts[2],
		"eyJhbGciOiJub25lIn0." + parts[1] + ".", good + ".", strings.Repeat(".", 5000), parts[0] + "." + parts[1] + "." + parts[2] + "="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		c, err := v.Verify(token, identity.ScopeAccess)
		if err == nil && token != good {
			t.Fatalf("believed %q, of %s", token, c.Subject)
		}
	})
}
