package identity_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// During a rotation two keys are believed; afterwards the old one is not.
func TestTwoKeysAreBelievedDuringARotation(t *testing.T) {
	t.Parallel()
	before, after := identitytest.New(t), identitytest.New(t)
	believing := func(signers ...*identitytest.Signer) *identity.Verifier {
		t.Helper()
		var set struct {
			Keys []json.RawMessage `json:"keys"`
		}
		for _, s := range signers {
			var one struct {
				Keys []json.RawMessage `json:"keys"`
			}
			if err := json.Unmarshal([]byte(s.PublicKeys()), &one); err != nil {
				t.Fatal(err)
			}
			set.Keys = append(set.Keys, one.Keys...)
		}
		raw, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		v, err := identity.NewVerifier(identity.Config{PublicKeys: string(raw), Issuer: identitytest.Issuer, Audience: identitytest.Audience}, timestamp.System{})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	old := before.Token(uuid.New(), identity.Citizen, uuid.New())
	fresh := after.Token(uuid.New(), identity.Citizen, uuid.New())
	for name, tt := range map[string]struct {
		keys       *identity.Verifier
		old, fresh error
	}{
		"before": {believing(before), nil, identity.ErrInvalid},
		"during": {believing(before, after), nil, nil},
		"after":  {believing(after), identity.ErrInvalid, nil},
	} {
		if _, err := tt.keys.Verify(old, identity.ScopeAccess); !errors.Is(err, tt.old) {
			t.Errorf("%s, the old key: %v", name, err)
		}
		if _, err := tt.keys.Verify(fresh, identity.ScopeAccess); !errors.Is(err, tt.fresh) {
			t.Errorf("%s, the new key: %v", name, err)
		}
	}
}

func TestKeySetsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]string{
		"empty": "", "no JSON": "keys", "no key": `{"keys":[]}`, "RSA": `{"keys":[{"kty":"RSA","kid":"1","n":"AQAB","e":"AQAB"}]}`,
		"no key id": `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		"too short": `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"AQAB"}]}`,
	} {
		if _, err := identity.NewVerifier(identity.Config{PublicKeys: set}, timestamp.System{}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
