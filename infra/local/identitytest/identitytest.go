// Package identitytest signs people in for tests: with valid tokens, signed by a key of the test, and the rows in the
// database that belong to them.
package identitytest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
)

// Issuer and Audience are the defaults of identity.Config.
const (
	Issuer   = "https://api.lafaekstreet.com"
	Audience = "lafaekstreet"
)

// Signer signs access tokens as functions/auth does.
type Signer struct {
	t       testing.TB
	private ed25519.PrivateKey
	keyID   string
}

// New makes a Signer with a new key.
func New(t testing.TB) *Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Signer{t: t, private: private, keyID: rand.Text()[:8]}
}

// PublicKeys is the value of TOKEN_PUBLIC_KEYS.
func (s *Signer) PublicKeys() string {
	return s.encode(map[string]any{"keys": []any{s.jwk(false)}})
}

// SigningKey is the value of TOKEN_SIGNING_KEY, for tests of functions/auth.
func (s *Signer) SigningKey() string { return s.encode(s.jwk(true)) }

func (s *Signer) jwk(private bool) map[string]string {
	public, _ := s.private.Public().(ed25519.PublicKey)
	key := map[string]string{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": s.keyID,
		"x": base64.RawURLEncoding.EncodeToString(public)}
	if private {
		key["d"] = base64.RawURLEncoding.EncodeToString(s.private.Seed())
	}
	return key
}

func (s *Signer) encode(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(raw)
}

// Token is an access token that is valid for an hour from now.
func (s *Signer) Token(user uuid.UUID, role identity.Role, session uuid.UUID) string {
	return s.Sign(Claims(time.Now(), user, role, session))
}

// Claims are the claims of Token, for tests that change one.
func Claims(now time.Time, user uuid.UUID, role identity.Role, session uuid.UUID) identity.Claims {
	return identity.Claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: Issuer, Audience: jwt.ClaimStrings{Audience}, Subject: user.String(), ID: uuid.NewString(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(time.Hour)),
		},
		Role: role, SessionID: session.String(), Scope: identity.ScopeAccess,
	}
}

// Sign signs claims, even invalid ones.
func (s *Signer) Sign(c identity.Claims) string {
	s.t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
	token.Header["kid"] = s.keyID
	signed, err := token.SignedString(s.private)
	if err != nil {
		s.t.Fatal(err)
	}
	return signed
}

// Person is somebody with an account and a session.
type Person struct {
	ID           uuid.UUID
	SessionID    uuid.UUID
	Email        string
	Role         identity.Role
	AgencyID     *uuid.UUID
	SecondFactor bool
	// Token is the access token.
	Token string
}

// SignIn adds a person with a verified address, a role and a session to the database.
func (s *Signer) SignIn(db database.Querier, role identity.Role) Person {
	s.t.Helper()
	return s.SignInAs(db, Person{Role: role, SecondFactor: role == identity.Admin})
}

// SignInAs is SignIn for a person whose other fields matter too. It fills in the fields of p that are zero.
func (s *Signer) SignInAs(db database.Querier, p Person) Person {
	s.t.Helper()
	if p.ID == uuid.Nil {
		p.ID = database.NewID()
	}
	if p.Role == "" {
		p.Role = identity.Citizen
	}
	if p.Email == "" {
		p.Email = p.ID.String() + "@example.tl"
	}
	p.SessionID = database.NewID()
	const user = `
		INSERT INTO users (id, email, email_verified_at, full_name, role, agency_id)
		VALUES ($1, $2, now(), 'Maria dos Santos', $3, $4)`
	const session = `
		INSERT INTO sessions (id, user_id, expires_at, second_factor_at)
		VALUES ($1, $2, now() + interval '60 days', CASE WHEN $3 THEN now() END)`
	ctx := s.t.Context()
	if _, err := db.Exec(ctx, user, p.ID, p.Email, string(p.Role), p.AgencyID); err != nil {
		s.t.Fatalf("add person: %v", err)
	}
	if _, err := db.Exec(ctx, session, p.SessionID, p.ID, p.SecondFactor); err != nil {
		s.t.Fatalf("add session: %v", err)
	}
	c := Claims(time.Now(), p.ID, p.Role, p.SessionID)
	c.SecondFactor = p.SecondFactor
	if p.AgencyID != nil {
		c.AgencyID = p.AgencyID.String()
	}
	p.Token = s.Sign(c)
	return p
}
