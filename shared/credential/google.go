package credential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

// GoogleConfig says which ID tokens are accepted.
type GoogleConfig struct {
	// ClientIDs are the OAuth client ids of our apps; without any, nobody signs in with Google.
	ClientIDs []string `env:"GOOGLE_CLIENT_IDS"`
	Issuer    string   `env:"GOOGLE_ISSUER" envDefault:"https://accounts.google.com"`
	KeysURL   string   `env:"GOOGLE_KEYS_URL" envDefault:"https://www.googleapis.com/oauth2/v3/certs"`
}

// Errors of Verify.
var (
	ErrGoogleInvalid     = errors.New("google token invalid")
	ErrGoogleUnavailable = errors.New("google's keys cannot be read")
)

// GoogleIdentity is who Google says is signing in.
type GoogleIdentity struct {
	Subject       string // stable; never reused
	Email         string
	EmailVerified bool
	Name          string
	IssuedAt      time.Time
}

// GoogleVerifier checks ID tokens. Keys are fetched when first needed and when a token
// names a key that is not known yet.
type GoogleVerifier struct {
	clientIDs []string
	tokens    *oidc.IDTokenVerifier
}

// fetchTimeout bounds a request for the keys.
const fetchTimeout = 4 * time.Second

// NewGoogleVerifier accepts tokens for the client ids of c.
func NewGoogleVerifier(c GoogleConfig, now timestamp.Clock) *GoogleVerifier {
	client := &http.Client{Timeout: fetchTimeout, Transport: boundedTransport{http.DefaultTransport}}
	keys := &keySet{remote: oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), client), c.KeysURL)}
	return &GoogleVerifier{clientIDs: c.ClientIDs, tokens: oidc.NewVerifier(c.Issuer, keys, &oidc.Config{
		SkipClientIDCheck: true, // there are several; checked in Verify
		Now:               now.Now,
	})}
}

// maxToken is longer than any ID token of Google, in bytes.
const maxToken = 8 << 10

// compactJWS is the compact form of RFC 7515, which Google's tokens have. The other form is JSON.
var compactJWS = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)
})

// Verify returns the person a token names. It fails with ErrGoogleInvalid for a token that
// is not valid, and with ErrGoogleUnavailable when the keys cannot be fetched now.
func (v *GoogleVerifier) Verify(ctx context.Context, token string) (GoogleIdentity, error) {
	if len(token) > maxToken || !compactJWS().MatchString(token) {
		return GoogleIdentity{}, ErrGoogleInvalid
	}
	failed := new(fetchFailure)
	t, err := v.tokens.Verify(context.WithValue(ctx, fetchFailure{}, failed), token)
	if err != nil && failed.err != nil {
		return GoogleIdentity{}, fmt.Errorf("%w: %w", ErrGoogleUnavailable, failed.err)
	}
	if err != nil || t.Subject == "" || !slices.ContainsFunc(t.Audience, v.ours) {
		return GoogleIdentity{}, ErrGoogleInvalid
	}
	var claims struct {
		Email         string `json:"email"`
		EmailVerified bool   `json:"email_verified"`
		Name          string `json:"name"`
	}
	if err := t.Claims(&claims); err != nil {
		return GoogleIdentity{}, ErrGoogleInvalid
	}
	return GoogleIdentity{Subject: t.Subject, Email: claims.Email, EmailVerified: claims.EmailVerified, Name: claims.Name, IssuedAt: t.IssuedAt}, nil
}

func (v *GoogleVerifier) ours(audience string) bool { return slices.Contains(v.clientIDs, audience) }

// keySet distinguishes a wrong token from keys that could not be fetched. The library
// reports both as the same error.
type keySet struct {
	remote *oidc.RemoteKeySet
}

type fetchFailure struct{ err error }

// VerifySignature implements oidc.KeySet.
func (k *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.remote.VerifySignature(ctx, token)
	if err != nil && errors.Unwrap(err) != nil { // only "fetching keys" wraps a cause
		if f, ok := ctx.Value(fetchFailure{}).(*fetchFailure); ok {
			f.err = unquoted(err)
		}
	}
	return payload, err
}

// unquoted is why keys could not be fetched. The library's own error quotes the whole answer.
func unquoted(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return errors.New("the answer is no set of keys")
}

// maxKeySetBytes bounds an answer about the keys, in bytes; Google's takes some 2,000.
const maxKeySetBytes = 1 << 20

// boundedTransport reads at most maxKeySetBytes of an answer. It does not read the body of an answer that is an error.
type boundedTransport struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		_ = res.Body.Close()
		return nil, fmt.Errorf("status %d", res.StatusCode)
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, maxKeySetBytes), res.Body}
	return res, nil
}
