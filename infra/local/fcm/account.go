package fcm

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// scope is the OAuth scope that allows a client to send messages.
const scope = "https://www.googleapis.com/auth/firebase.messaging"

// tokenLifetime is how long an access token is valid.
const tokenLifetime = time.Hour

// account is a service account with its private key.
type account struct {
	Type         string `json:"type"`
	ProjectID    string `json:"project_id"`
	PrivateKeyID string `json:"private_key_id"`
	PrivateKey   string `json:"private_key"`
	ClientEmail  string `json:"client_email"`
	ClientID     string `json:"client_id"`
	AuthURI      string `json:"auth_uri"`
	TokenURI     string `json:"token_uri"`

	key  *rsa.PrivateKey
	json []byte
	file string
}

// openAccount reads the account kept in dir, or makes one. It always sets the token endpoint, because the port may differ
// from that of the last run.
func openAccount(dir, project, tokenURI string) (account, error) {
	a := account{Type: "service_account", ProjectID: project, ClientEmail: "stand-in@" + project + ".iam.gserviceaccount.com", ClientID: "100000000000000000000"}
	if dir != "" {
		a.file = filepath.Join(dir, "service-account.json")
		raw, err := os.ReadFile(a.file)
		if err != nil && !os.IsNotExist(err) {
			return account{}, fmt.Errorf("fcm: %w", err)
		}
		if err == nil {
			if err := json.Unmarshal(raw, &a); err != nil {
				return account{}, fmt.Errorf("fcm: %s: %w", a.file, err)
			}
		}
	}
	a.ProjectID, a.AuthURI, a.TokenURI = project, strings.TrimSuffix(tokenURI, "/token")+"/auth", tokenURI
	if err := a.ensureKey(); err != nil {
		return account{}, err
	}
	var err error
	if a.json, err = json.MarshalIndent(a, "", "  "); err != nil {
		return account{}, fmt.Errorf("fcm: %w", err)
	}
	if a.file != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return account{}, fmt.Errorf("fcm: %w", err)
		}
		if err := os.WriteFile(a.file, a.json, 0o600); err != nil {
			return account{}, fmt.Errorf("fcm: %w", err)
		}
	}
	return a, nil
}

// ensureKey parses the private key of the account, or makes one if there is none.
func (a *account) ensureKey() error {
	if block, _ := pem.Decode([]byte(a.PrivateKey)); block != nil {
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		key, ok := parsed.(*rsa.PrivateKey)
		if err != nil || !ok {
			return fmt.Errorf("fcm: the private key in %s is not an RSA key", a.file)
		}
		a.key = key
		return nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("fcm: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("fcm: %w", err)
	}
	a.key, a.PrivateKeyID = key, randomHex(20)
	a.PrivateKey = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return nil
}

func randomHex(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw)
	return hex.EncodeToString(raw)
}

// assertion is the claim set of RFC 7523 with Google's claim "scope".
type assertion struct {
	jwt.RegisteredClaims
	Scope string `json:"scope"`
}

// token exchanges a JWT signed by the service account for an access token.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type", "error_description": "Invalid grant_type: " + r.PostFormValue("grant_type")})
		return
	}
	if err := s.checkAssertion(r.PostFormValue("assertion")); err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": "Invalid JWT: " + err.Error()})
		return
	}
	token := "ya29.local-" + randomHex(16)
	s.mu.Lock()
	s.tokens[token] = s.opts.Now().Add(tokenLifetime)
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"access_token": token, "expires_in": int(tokenLifetime.Seconds()) - 1, "token_type": "Bearer"})
}

func (s *Server) checkAssertion(raw string) error {
	var claims assertion
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(s.account.ClientEmail), jwt.WithAudience(s.account.TokenURI),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(time.Minute), jwt.WithTimeFunc(s.opts.Now))
	if _, err := parser.ParseWithClaims(raw, &claims, func(*jwt.Token) (any, error) { return &s.account.key.PublicKey, nil }); err != nil {
		return err
	}
	if claims.IssuedAt == nil || claims.ExpiresAt.Sub(claims.IssuedAt.Time) > tokenLifetime+time.Minute {
		return errors.New("token must be a short-lived token (60 minutes)")
	}
	for _, have := range strings.Fields(claims.Scope) {
		if have == scope || have == "https://www.googleapis.com/auth/cloud-platform" {
			return nil
		}
	}
	return errors.New("the scope does not allow messaging")
}

func (s *Server) validToken(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.tokens[token]
	return ok && s.opts.Now().Before(until)
}

// RevokeTokens makes every access token invalid that was issued so far.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}
