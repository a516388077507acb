package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/warning"
)

// Tokens is what a signed-in client holds.
type Tokens struct {
	Kind         string       `json:"kind" enum:"tokens" doc:"Tells this answer from a challenge"`
	AccessToken  string       `json:"access_token" doc:"JWT, EdDSA; goes behind Bearer"`
	RefreshToken string       `json:"refresh_token" doc:"Opaque; works once, for 60 days from its last use"`
	TokenType    string       `json:"token_type" enum:"bearer"`
	ExpiresIn    int          `json:"expires_in" doc:"Seconds the access token is good for" example:"3600"`
	User         account.User `json:"user"`
	IsNewUser    *bool        `json:"is_new_user,omitempty" doc:"Only after signing in with Google or a code from a mail: the account was made just now"`
	// Warnings is set in the answer to a request that sent something which was not kept.
	Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the request was not kept; left out if everything was"`
}

// Challenge asks for the second factor.
type Challenge struct {
	Kind         string    `json:"kind" enum:"second_factor" doc:"Tells this answer from tokens"`
	ChallengeID  uuid.UUID `json:"challenge_id" doc:"For /auth/totp/verify"`
	SecondFactor string    `json:"second_factor" enum:"totp"`
	ExpiresIn    int       `json:"expires_in" doc:"Seconds the challenge is good for" example:"300"`
	// Warnings is set in the answer to a request that sent something which was not kept.
	Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the request was not kept; left out if everything was"`
}

// Kinds of an answer of signing in.
const (
	kindTokens       = "tokens"
	kindSecondFactor = "second_factor"
)

// signInBody is either of them.
type signInBody struct {
	*Tokens
	*Challenge
}

// MarshalJSON writes the one that is there.
func (b signInBody) MarshalJSON() ([]byte, error) {
	if b.Challenge != nil {
		return json.Marshal(b.Challenge)
	}
	return json.Marshal(b.Tokens)
}

// Schema implements huma.SchemaProvider.
func (signInBody) Schema(r huma.Registry) *huma.Schema {
	const name = "SignInResult"
	tokens, challenge := r.Schema(reflect.TypeFor[Tokens](), true, ""), r.Schema(reflect.TypeFor[Challenge](), true, "")
	r.Map()[name] = &huma.Schema{
		Description:   "Tokens, or a challenge when the person's second factor is on",
		OneOf:         []*huma.Schema{tokens, challenge},
		Discriminator: &huma.Discriminator{PropertyName: "kind", Mapping: map[string]string{kindTokens: tokens.Ref, kindSecondFactor: challenge.Ref}},
	}
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}

type signInOutput struct {
	Body signInBody
}

type tokensOutput struct {
	Body Tokens
}

// factorPassed tells signIn that the second factor was shown, and when.
type factorPassed struct{ at *time.Time }

var errSuspended = problem.New(problem.Forbidden, "account_suspended")

// signInWith runs prove, which ends with signIn, in a transaction and answers once that has committed.
func (g *Group) signInWith(ctx context.Context, prove func(tx *outbox.Tx) (*database.Ask[signInBody], error)) (*signInOutput, error) {
	var body *database.Ask[signInBody]
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		var err error
		body, err = prove(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &signInOutput{Body: body.Get()}
	if found := warning.FromContext(ctx).List(); out.Body.Challenge != nil {
		out.Body.Challenge.Warnings = found
	} else {
		out.Body.Tokens.Warnings = found
	}
	return out, nil
}

// signIn starts a session for p, whose identity the caller has checked. It creates a challenge instead
// when their second factor is on and was not sent.
func (g *Group) signIn(ctx context.Context, tx *database.Tx, p person, from *device, factor factorPassed) (*database.Ask[signInBody], error) {
	if p.suspended {
		return nil, errSuspended
	}
	if p.secondFactor && factor.at == nil {
		c, err := g.challenge(tx, p, from)
		return database.Derive(func() signInBody { return signInBody{Challenge: c} }), err
	}
	tokens, err := g.startSession(ctx, tx, p, from, factor)
	return database.Derive(func() signInBody { return signInBody{Tokens: tokens.Get()} }), err
}

func (g *Group) startSession(ctx context.Context, tx *database.Tx, p person, from *device, factor factorPassed) (*database.Ask[*Tokens], error) {
	now, session := g.clock.Now(), database.NewID()
	if from == nil {
		from = &device{}
	}
	const insert = `
		INSERT INTO sessions (id, user_id, device_id, platform, app_version, os_version, model, second_factor_at,
		                      created_at, last_used_at, expires_at)
		VALUES ($1, $2, nullif($3, ''), nullif($4, ''), nullif($5, ''), nullif($6, ''), nullif($7, ''), $8, $9, $9, $10)`
	tx.Queue(insert, session, p.id, from.DeviceID, from.Platform, from.AppVersion, from.OSVersion, from.Model,
		factor.at, now, now.Add(refreshLife))
	refresh := newRefreshToken()
	storeRefresh(tx, refresh, session, nil, now)
	storeDevice(tx, p.id, session, *from)
	if err := g.revoker.Beyond(ctx, tx, p.id, maxSessions, now); err != nil {
		return nil, err
	}
	tx.Queue(`UPDATE users SET last_login_at = $2 WHERE id = $1`, p.id, now)
	access, err := g.signer.Access(p, session, factor.at != nil, now)
	if err != nil {
		return nil, err
	}
	return g.tokens(ctx, tx, p.id, pair{Access: access, Refresh: refresh, ExpiresAt: now.Add(accessLife)}), nil
}

// pair is the result of an exchange. It is stored sealed, to be repeated within refreshGrace.
type pair struct {
	Access    string    `json:"a"`
	Refresh   string    `json:"r"`
	ExpiresAt time.Time `json:"e"`
}

// tokens returns the answer. Its account is read in the last round trip of tx.
func (g *Group) tokens(ctx context.Context, tx *database.Tx, user uuid.UUID, p pair) *database.Ask[*Tokens] {
	whose := account.AskUser(tx, user, httpapi.Origin(ctx))
	expires := int(p.ExpiresAt.Sub(g.clock.Now()).Seconds())
	return database.Derive(func() *Tokens {
		return &Tokens{Kind: kindTokens, AccessToken: p.Access, RefreshToken: p.Refresh, TokenType: "bearer", ExpiresIn: expires, User: whose.Get()}
	})
}

// newRefreshToken is 256 bits from a CSPRNG.
func newRefreshToken() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails (crypto/rand, Go 1.24)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// refreshHash is the stored form of a token. SHA-256 is enough for 256 random bits.
func refreshHash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

func storeRefresh(in database.Pipeline, token string, session uuid.UUID, parent []byte, now time.Time) {
	const insert = `
		INSERT INTO refresh_tokens (token_hash, session_id, parent_hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`
	in.Queue(insert, refreshHash(token), session, parent, now, now.Add(refreshLife))
}

// storeDevice keeps the phone somebody signed in from, when they named it.
func storeDevice(p database.Pipeline, user, session uuid.UUID, d device) {
	if d.DeviceID != "" {
		account.StoreDevice(p, user, account.Device{ID: d.DeviceID, Platform: d.Platform, AppVersion: d.AppVersion,
			OSVersion: d.OSVersion, Model: d.Model, FCMToken: d.FCMToken, Session: session})
	}
}
