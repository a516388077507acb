// Package google checks the ID tokens of Google sign-in against the keys Google
// publishes.
package google

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/lafaekstreet/backend/shared/clock"
)

// Config says whose tokens are believed.
type Config struct {
	// ClientIDs are the OAuth client ids of our apps; without any, nobody signs in with Google.
	ClientIDs []string `env:"GOOGLE_CLIENT_IDS"`
	Issuer    string   `env:"GOOGLE_ISSUER" envDefault:"https://accounts.google.com"`
	KeysURL   string   `env:"GOOGLE_KEYS_URL" envDefault:"https://www.googleapis.com/oauth2/v3/certs"`
}

// Errors of Verify.
var (
	ErrInvalid     = errors.New("google token invalid")
	ErrUnavailable = errors.New("google's keys cannot be read")
)

// Identity is who Google says is signing in.
type Identity struct {
	Subject       string // stable; never reused
	Email         string
	EmailVerified bool
	Name          string
	IssuedAt      time.Time
}

// Verifier checks ID tokens. Keys are fetched when first needed and when a token
// names a key that is not known yet.
type Verifier struct {
	clientIDs []string
	tokens    *oidc.IDTokenVerifier
}

// fetchTimeout bounds a request for the keys.
const fetchTimeout = 4 * time.Second

// New believes tokens for c's clients.
func New(c Config, now clock.Clock) *Verifier {
	client := &http.Client{Timeout: fetchTimeout, Transport: bounded{http.DefaultTransport}}
	keys := &keySet{remote: oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), client), c.KeysURL)}
	return &Verifier{clientIDs: c.ClientIDs, tokens: oidc.NewVerifier(c.Issuer, keys, &oidc.Config{
		SkipClientIDCheck: true, // there are several; checked in Verify
		Now:               now.Now,
	})}
}

// maxToken is longer than any ID token of Google, in bytes.
const maxToken = 8 << 10

// compact is the one form Google's tokens have: RFC 7515 knows another, of JSON.
var compact = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

// Verify returns who a token speaks for; ErrInvalid when it is not to be
// believed, ErrUnavailable when that cannot be told now.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	if len(token) > maxToken || !compact.MatchString(token) {
		return Identity{}, ErrInvalid
	}
	failed := new(fetchFailure)
	t, err := v.tokens.Verify(context.WithValue(ctx, fetchFailure{}, failed), token)
	if err != nil && failed.err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrUnavailable, failed.err)
	}
	if err != nil || t.Subject == "" || !slices.ContainsFunc(t.Audience, v.ours) {
		return Identity{}, ErrInvalid
	}
	var claims struct {
		Email         string `json:"email"`
		EmailVerified bool   `json:"email_verified"`
		Name          string `json:"name"`
	}
	if err := t.Claims(&claims); err != nil {
		return Identity{}, ErrInvalid
	}
	return Identity{Subject: t.Subject, Email: claims.Email, EmailVerified: claims.EmailVerified, Name: claims.Name, IssuedAt: t.IssuedAt}, nil
}

func (v *Verifier) ours(audience string) bool { return slices.Contains(v.clientIDs, audience) }

// keySet tells a token that is wrong from keys that could not be fetched, which
// the library reports as one and the same.
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

// unquoted is why keys could not be fetched. The library's own words quote all that was answered.
func unquoted(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return errors.New("the answer is no set of keys")
}

// maxKeys bounds an answer about the keys, in bytes; Google's takes some 2,000.
const maxKeys = 1 << 20

// bounded reads no more of an answer than keys can take, and nothing of one that is none.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
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
	}{io.LimitReader(res.Body, maxKeys), res.Body}
	return res, nil
}
