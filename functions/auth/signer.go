package auth

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/identity"
)

// Signer signs tokens with Ed25519 under a key id.
type Signer struct {
	key    ed25519.PrivateKey
	keyID  string
	tokens identity.Config
}

// NewSigner reads a private JWK: {"kty":"OKP","crv":"Ed25519","kid":…,"x":…,"d":…}.
// The public half must be in c.PublicKeys, or every function would refuse its tokens.
func NewSigner(jwk string, c identity.Config) (*Signer, error) {
	var k struct {
		KeyType string `json:"kty"`
		Curve   string `json:"crv"`
		KeyID   string `json:"kid"`
		D       string `json:"d"`
	}
	if err := json.Unmarshal([]byte(jwk), &k); err != nil {
		return nil, errors.New("TOKEN_SIGNING_KEY is not a JWK")
	}
	seed, err := base64.RawURLEncoding.DecodeString(k.D)
	if err != nil || k.KeyType != "OKP" || k.Curve != "Ed25519" || k.KeyID == "" || len(seed) != ed25519.SeedSize {
		return nil, errors.New("TOKEN_SIGNING_KEY is not a private Ed25519 JWK with a kid")
	}
	s := &Signer{key: ed25519.NewKeyFromSeed(seed), keyID: k.KeyID, tokens: c}
	if err := s.checkPublished(); err != nil {
		return nil, err
	}
	return s, nil
}

// checkPublished checks that the public half is in the key set under the same id.
func (s *Signer) checkPublished() error {
	var set struct {
		Keys []struct {
			KeyID string `json:"kid"`
			X     string `json:"x"`
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(s.tokens.PublicKeys), &set); err != nil {
		return errors.New("TOKEN_PUBLIC_KEYS is not a JWK set")
	}
	public, _ := s.key.Public().(ed25519.PublicKey)
	for _, k := range set.Keys {
		if k.KeyID == s.keyID && k.X == base64.RawURLEncoding.EncodeToString(public) {
			return nil
		}
	}
	return fmt.Errorf("TOKEN_PUBLIC_KEYS has no key %q that fits TOKEN_SIGNING_KEY", s.keyID)
}

// Access is an access token for a session of p.
func (s *Signer) Access(p person, session uuid.UUID, secondFactor bool, now time.Time) (string, error) {
	c := identity.Claims{
		RegisteredClaims: s.registered(s.tokens.Audience, p.id, uuid.NewString(), now, accessLife),
		Role:             p.role, SessionID: session.String(), Scope: identity.ScopeAccess, SecondFactor: secondFactor, Language: p.language,
	}
	if p.agencyID != nil {
		c.AgencyID = p.agencyID.String()
	}
	return s.sign(c)
}

// Scopes of mailed links; never those of an access token.
const (
	scopeVerify = "verify_email"
	scopeReset  = "reset_password"
)

// Link is the token of a mailed link of scope for a person; id is its jti.
func (s *Signer) Link(scope string, user uuid.UUID, id string, now time.Time) (string, error) {
	return s.sign(identity.Claims{
		RegisteredClaims: s.registered(linkConfig(s.tokens).Audience, user, id, now, linkLife), Scope: scope,
	})
}

// linkConfig gives links an audience of their own, so that one could not pass
// for an access token even if a verifier forgot the scope.
func linkConfig(c identity.Config) identity.Config {
	c.Audience += "/links"
	return c
}

func (s *Signer) registered(audience string, user uuid.UUID, id string, now time.Time, life time.Duration) jwt.RegisteredClaims {
	return jwt.RegisteredClaims{
		Issuer: s.tokens.Issuer, Audience: jwt.ClaimStrings{audience}, Subject: user.String(), ID: id,
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(life)),
	}
}

func (s *Signer) sign(c identity.Claims) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
	t.Header["kid"] = s.keyID
	signed, err := t.SignedString(s.key)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed, nil
}
