package identity

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

// ScopeAccess is the scope of access tokens; any other scope never opens a route.
const ScopeAccess = "access"

// Claims are the contents of our access tokens.
type Claims struct {
	jwt.RegisteredClaims
	Role         Role   `json:"role,omitempty"`
	SessionID    string `json:"sid,omitempty"`
	Scope        string `json:"scope"`
	SecondFactor bool   `json:"mfa,omitempty"`
	AgencyID     string `json:"agency,omitempty"`
	Language     string `json:"lang,omitempty"`
}

// Config says whose tokens are accepted.
type Config struct {
	// PublicKeys is a JWK set (RFC 7517) of Ed25519 keys; two during a rotation.
	PublicKeys string `env:"TOKEN_PUBLIC_KEYS,required,notEmpty"`
	Issuer     string `env:"TOKEN_ISSUER" envDefault:"https://api.lafaekstreet.com"`
	Audience   string `env:"TOKEN_AUDIENCE" envDefault:"lafaekstreet"`
}

// Verifier checks tokens. It holds public keys only.
type Verifier struct {
	keys   map[string]ed25519.PublicKey
	parser *jwt.Parser
	clock  timestamp.Clock
	// checked holds the claims of tokens that passed before, so that a signature is checked once.
	checked claimsCache
}

// Errors of Verify.
var (
	ErrExpired = errors.New("token expired")
	ErrInvalid = errors.New("token invalid")
)

// leeway is how far the clocks of two machines may differ.
const leeway = 5 * time.Second

// NewVerifier reads the key set.
func NewVerifier(c Config, now timestamp.Clock) (*Verifier, error) {
	keys, err := parseKeySet(c.PublicKeys)
	if err != nil {
		return nil, fmt.Errorf("TOKEN_PUBLIC_KEYS: %w", err)
	}
	return &Verifier{keys: keys, clock: now, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithIssuer(c.Issuer), jwt.WithAudience(c.Audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(now.Now), jwt.WithStrictDecoding(),
	)}, nil
}

// Verify returns the claims of a token of the given scope, else ErrExpired or ErrInvalid. With ErrExpired it also returns
// the claims: we signed them, and they say whose token it was.
func (v *Verifier) Verify(token, scope string) (Claims, error) {
	var c Claims
	if len(token) > 4096 {
		return Claims{}, ErrInvalid
	}
	hash := sha256.Sum256([]byte(token))
	if cached, ok := v.checked.get(hash, v.clock.Now()); ok && cached.Scope == scope {
		return cached, nil
	}
	_, err := v.parser.ParseWithClaims(token, &c, v.key)
	switch {
	case errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return c, ErrExpired
	case err != nil || c.Scope != scope || c.Subject == "":
		return Claims{}, ErrInvalid
	}
	v.checked.put(hash, c)
	return c, nil
}

func (v *Verifier) key(t *jwt.Token) (any, error) {
	kid, _ := t.Header["kid"].(string)
	k, ok := v.keys[kid]
	if !ok {
		return nil, ErrInvalid
	}
	return k, nil
}

type jwk struct {
	KeyType string `json:"kty"`
	Curve   string `json:"crv"`
	KeyID   string `json:"kid"`
	X       string `json:"x"`
}

func parseKeySet(raw string) (map[string]ed25519.PublicKey, error) {
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := json.Unmarshal([]byte(raw), &set); err != nil {
		return nil, errors.New("not a JWK set")
	}
	keys := make(map[string]ed25519.PublicKey, len(set.Keys))
	for _, k := range set.Keys {
		x, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil || k.KeyType != "OKP" || k.Curve != "Ed25519" || len(x) != ed25519.PublicKeySize || k.KeyID == "" {
			return nil, errors.New("only Ed25519 keys with a kid are taken")
		}
		keys[k.KeyID] = ed25519.PublicKey(x)
	}
	if len(keys) == 0 {
		return nil, errors.New("no key in the set")
	}
	return keys, nil
}

// maxCachedClaims is how many tokens a claimsCache holds at most.
const maxCachedClaims = 2048

// claimsCache holds the claims of tokens whose signature has been checked, by the hash of the token. A phone sends the same
// token for an hour, and checking a signature costs more than most queries. The session is still checked for each request.
type claimsCache struct {
	mu     sync.Mutex
	claims map[[sha256.Size]byte]Claims
}

// get returns the claims of a token that was checked before and has not expired.
func (c *claimsCache) get(token [sha256.Size]byte, now time.Time) (Claims, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.claims[token]
	if ok && !now.Before(found.ExpiresAt.Time) {
		delete(c.claims, token)
		return Claims{}, false
	}
	return found, ok
}

// put keeps the claims of a token that was just checked. A full cache is emptied first; its tokens are checked again when
// they come back.
func (c *claimsCache) put(token [sha256.Size]byte, claims Claims) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.claims == nil || len(c.claims) >= maxCachedClaims {
		c.claims = make(map[[sha256.Size]byte]Claims)
	}
	c.claims[token] = claims
}
