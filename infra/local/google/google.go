// Package google stands in for Google's OpenID Connect provider. The backend reads its discovery document and keys; tests
// and the console get from it the identity tokens that an app gets from Google's sign-in.
package google

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/loopback"
)

// DefaultClientID is the audience of a token unless Identity.Audience names another.
const DefaultClientID = "lafaekstreet-local.apps.googleusercontent.com"

// Options configures Start.
type Options struct {
	// Addr is where to listen; empty is a free loopback port.
	Addr string
	// Dir keeps the signing key across restarts; empty keeps it in memory.
	Dir string
	// Issuer appears in discovery and tokens; empty is the server's URL.
	Issuer string
	Faults *faults.Set
	// Now tells the time; nil is the system's clock.
	Now func() time.Time
}

// Server is a running provider.
type Server struct {
	opts Options
	url  string
	http *loopback.Server

	mu   sync.Mutex
	keys []signingKey // all are published; the last one signs
}

type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

// Start serves until Close. The port answers when it returns.
func Start(opts Options) (*Server, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	listener, err := loopback.Listen(opts.Addr)
	if err != nil {
		return nil, err
	}
	s := &Server{opts: opts, url: loopback.URL(listener)}
	if s.opts.Issuer == "" {
		s.opts.Issuer = s.url
	}
	if err := s.loadKey(); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", s.withFaults("Discovery", s.discovery))
	mux.HandleFunc("GET /oauth2/v3/certs", s.withFaults("Keys", s.certs))
	s.http = loopback.Start(listener, mux)
	return s, nil
}

// URL is the base address of the provider. Discovery is at /.well-known/openid-configuration below it.
func (s *Server) URL() string { return s.url }

// Issuer is the claim iss of the tokens.
func (s *Server) Issuer() string { return s.opts.Issuer }

// KeysURL is the address of the JSON Web Key Set.
func (s *Server) KeysURL() string { return s.url + "/oauth2/v3/certs" }

// Close stops serving.
func (s *Server) Close() error { return s.http.Close() }

// withFaults serves next, cmp.Or fails as the next fault says.
func (s *Server) withFaults(operation string, next http.HandlerFunc) http.HandlerFunc {
	replies := faults.Replies{
		Error: func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
		},
		Throttle: func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Too Many Requests", http.StatusTooManyRequests)
		},
		Malformed: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"keys": "none"`) },
	}
	return func(w http.ResponseWriter, r *http.Request) {
		s.opts.Faults.Serve(w, r, "google", operation, replies, next)
	}
}

func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]any{
		"issuer": s.opts.Issuer, "authorization_endpoint": s.url + "/o/oauth2/v2/auth", "token_endpoint": s.url + "/token", "jwks_uri": s.KeysURL(),
		"response_types_supported": []string{"id_token"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "scopes_supported": []string{"openid", "email", "profile"},
	})
}

func (s *Server) certs(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := []map[string]string{}
	for _, k := range s.keys {
		keys = append(keys, map[string]string{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": k.id,
			"n": base64.RawURLEncoding.EncodeToString(k.key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.key.E)).Bytes()),
		})
	}
	w.Header().Set("Cache-Control", "public, max-age=60")
	writeJSON(w, map[string]any{"keys": keys})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Server", "local-stand-in")
	_ = json.NewEncoder(w).Encode(v)
}

// Identity is the person who signs in. Only Email is needed.
type Identity struct {
	Email string `json:"email"`
	// Subject is Google's stable id; empty derives it from the address.
	Subject string `json:"sub,omitempty"`
	Name    string `json:"name,omitempty"`
	Picture string `json:"picture,omitempty"`
	// Audience is the client id the token is for; empty is DefaultClientID.
	Audience string `json:"aud,omitempty"`
	// Issuer replaces the issuer of the server; empty keeps it.
	Issuer string `json:"iss,omitempty"`
	// Unverified makes email_verified false.
	Unverified bool   `json:"unverified,omitempty"`
	Nonce      string `json:"nonce,omitempty"`
	// Life is how long the token is valid; 0 is an hour, a negative one makes a token that has expired.
	Life time.Duration `json:"-"`
}

// Mint signs an identity token for id.
func (s *Server) Mint(id Identity) (string, error) {
	if id.Email == "" {
		return "", errors.New("google: an identity needs an e-mail address")
	}
	claims := jwt.MapClaims{
		"iss": cmp.Or(id.Issuer, s.opts.Issuer), "aud": cmp.Or(id.Audience, DefaultClientID), "azp": cmp.Or(id.Audience, DefaultClientID),
		"sub": cmp.Or(id.Subject, subjectOf(id.Email)), "email": id.Email, "email_verified": !id.Unverified,
		"name": cmp.Or(id.Name, strings.Split(id.Email, "@")[0]),
	}
	now := s.opts.Now()
	expires := now.Add(cmp.Or(id.Life, time.Hour))
	claims["iat"], claims["exp"] = min(now.Unix(), expires.Unix()), expires.Unix()
	if id.Picture != "" {
		claims["picture"] = id.Picture
	}
	if id.Nonce != "" {
		claims["nonce"] = id.Nonce
	}
	s.mu.Lock()
	key := s.keys[len(s.keys)-1]
	s.mu.Unlock()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = key.id
	signed, err := token.SignedString(key.key)
	if err != nil {
		return "", fmt.Errorf("google: sign: %w", err)
	}
	return signed, nil
}

// subjectOf makes a Google account id, which has 21 digits, from an address.
func subjectOf(email string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(email)))
	digits := new(big.Int).SetBytes(sum[:]).String()
	return "1" + digits[:20]
}

// Rotate signs with a new key from now on. The previous key stays published, unless drop is set: Google drops a key that
// has leaked.
func (s *Server) Rotate(drop bool) error {
	next, err := generateKey()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if drop {
		s.keys = nil
	} else {
		s.keys = s.keys[len(s.keys)-1:]
	}
	s.keys = append(s.keys, next)
	return s.saveKey()
}

func generateKey() (signingKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return signingKey{}, fmt.Errorf("google: %w", err)
	}
	return newSigningKey(key), nil
}

// newSigningKey derives the key id from the key, so a key that is read from a file keeps its id.
func newSigningKey(key *rsa.PrivateKey) signingKey {
	sum := sha256.Sum256(key.N.Bytes())
	return signingKey{id: hex.EncodeToString(sum[:20]), key: key}
}

func (s *Server) keyFile() string { return filepath.Join(s.opts.Dir, "google-key.pem") }

// loadKey reads the key that an earlier run kept, or makes one.
func (s *Server) loadKey() error {
	if s.opts.Dir != "" {
		raw, err := os.ReadFile(s.keyFile())
		if err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("google: %w", err)
		}
		if block, _ := pem.Decode(raw); block != nil {
			key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
			if err != nil {
				return fmt.Errorf("google: %s: %w", s.keyFile(), err)
			}
			s.keys = []signingKey{newSigningKey(key)}
			return nil
		}
	}
	key, err := generateKey()
	if err != nil {
		return err
	}
	s.keys = []signingKey{key}
	return s.saveKey()
}

func (s *Server) saveKey() error {
	if s.opts.Dir == "" {
		return nil
	}
	if err := os.MkdirAll(s.opts.Dir, 0o700); err != nil {
		return fmt.Errorf("google: %w", err)
	}
	der := x509.MarshalPKCS1PrivateKey(s.keys[len(s.keys)-1].key)
	if err := os.WriteFile(s.keyFile(), pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return fmt.Errorf("google: %w", err)
	}
	return nil
}
