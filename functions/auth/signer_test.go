package auth_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/shared/identity"
)

// A signer whose key is not among the public keys does not start, and its error
// does not hold the key.
func TestSignerRefusesKeysThatDoNotFit(t *testing.T) {
	t.Parallel()
	own, other := identitytest.New(t), identitytest.New(t)
	var private map[string]string
	if err := json.Unmarshal([]byte(own.SigningKey()), &private); err != nil {
		t.Fatal(err)
	}
	config := identity.Config{PublicKeys: own.PublicKeys(), Issuer: identitytest.Issuer, Audience: identitytest.Audience}
	if _, err := auth.NewSigner(own.SigningKey(), config); err != nil {
		t.Errorf("its own key: %v", err)
	}
	public := strings.ReplaceAll(own.SigningKey(), `"d"`, `"unused"`)
	for name, jwk := range map[string]string{"another key": other.SigningKey(), "a public key": public, "nothing": "", "no JSON": "secret"} {
		_, err := auth.NewSigner(jwk, config)
		if err == nil {
			t.Errorf("%s: taken", name)
		} else if strings.Contains(err.Error(), private["d"]) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
