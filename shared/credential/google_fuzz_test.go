package credential_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

const issuer, client = "https://accounts.example", "app"

// keys is somebody who signs, and a server that says what its keys are.
type keys struct {
	private *rsa.PrivateKey
	says    atomic.Pointer[[]byte]
	server  *httptest.Server
}

func newKeys(f testing.TB) *keys {
	f.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	k := &keys{private: private}
	k.say([]byte(k.set()))
	k.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(*k.says.Load()) }))
	f.Cleanup(k.server.Close)
	return k
}

func (k *keys) say(raw []byte) { k.says.Store(&raw) }

func (k *keys) modulus() string { return base64.RawURLEncoding.EncodeToString(k.private.N.Bytes()) }

func (k *keys) set() string {
	exponent := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.private.E)).Bytes())
	return `{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"1","n":"` + k.modulus() + `","e":"` + exponent + `"}]}`
}

func (k *keys) token(f testing.TB, claims map[string]any) string {
	f.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: k.private, KeyID: "1"}}, nil)
	if err != nil {
		f.Fatal(err)
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		f.Fatal(err)
	}
	signed, err := signer.Sign(raw)
	if err != nil {
		f.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		f.Fatal(err)
	}
	return text
}

func (k *keys) verifier() *credential.GoogleVerifier {
	return credential.NewGoogleVerifier(credential.GoogleConfig{ClientIDs: []string{client}, Issuer: issuer, KeysURL: k.server.URL}, timestamp.System{})
}

func claims(audience string, life time.Duration) map[string]any {
	return map[string]any{"iss": issuer, "aud": audience, "sub": "1", "exp": time.Now().Add(life).Unix(), "email": "ana@example.tl", "email_verified": true}
}

// FuzzIDToken: no text but one signed by Google for us, and still good, is believed.
func FuzzIDToken(f *testing.F) {
	k := newKeys(f)
	good := k.token(f, claims(client, time.Hour))
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	for _, seed := range []string{good, k.token(f, claims("another", time.Hour)), k.token(f, claims(client, -time.Hour)), "", "a.b.c", parts[0] + "." + parts[1] + ".",
		none + "." + parts[1] + ".", none + "." + parts[1] + "." + parts[2], strings.Repeat(".", 9000), good + "=", " " + good, `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`} {
		f.Add(seed)
	}
	v := k.verifier()
	f.Fuzz(func(t *testing.T, token string) {
		who, err := v.Verify(t.Context(), token)
		if err != nil {
			if !errors.Is(err, credential.ErrGoogleInvalid) || who != (credential.GoogleIdentity{}) {
				t.Errorf("%q: %+v, %v", token, who, err)
			}
			return
		}
		// The last digit of a signature has bits that say nothing.
		if len(token) != len(good) || token[:len(token)-1] != good[:len(good)-1] {
			t.Fatalf("believed %q, of %s", token, who.Subject)
		}
	})
}

// FuzzGoogleKeys: whatever stands where Google's keys are, a token is believed by
// none but the key that signed it, and what stood there is in no log.
func FuzzGoogleKeys(f *testing.F) {
	k := newKeys(f)
	good := k.token(f, claims(client, time.Hour))
	for _, seed := range []string{k.set(), strings.Replace(k.set(), `"1"`, `"2"`, 1), strings.Replace(k.set(), "RS256", "HS256", 1), `{"keys":[]}`, `{"keys":null}`, `{}`, `[]`, ``,
		`<html>` + strings.Repeat("x", 5000), `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"1"}]}`, `{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"1"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"1"}]}`, `{"keys":[{"kty":"RSA","n":"` + k.modulus() + `","e":"AQ","kid":"1"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, says []byte) {
		k.say(says)
		_, err := k.verifier().Verify(t.Context(), good)
		switch {
		case err == nil:
			if !bytes.Contains(says, []byte(k.modulus())) && !bytes.Contains(says, []byte(`\`)) && !bytes.ContainsAny(says, "\r\n") {
				t.Errorf("believed by %q", says)
			}
		case !errors.Is(err, credential.ErrGoogleInvalid) && !errors.Is(err, credential.ErrGoogleUnavailable):
			t.Errorf("%v", err)
		case len(err.Error()) > 300 || len(says) > 20 && strings.Contains(err.Error(), string(says)):
			t.Errorf("%d bytes of an error: %.400v", len(err.Error()), err)
		}
	})
}
