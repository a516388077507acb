package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/warning"
)

func (g *Group) registerRefresh(a *httpapi.API) {
	refresh := operation("/auth/refresh", "Exchange a refresh token for a new pair",
		"A refresh token works once. A client whose answer was lost may send the same token again: for 60 seconds it gets the same "+
			"pair; later it gets the same refresh token once, if it sends the device_id of the session and nobody has used that token. "+
			"Any other used token ends the session, for it may be in the wrong hands. Reads JSON and forms. It reads the query too, for the journey client: a token in an address is kept in histories and logs.")
	refresh.OperationID = "refresh_api_v1_auth_refresh_post"
	refresh.Forms, refresh.ListForms = true, true
	// The token itself cannot be guessed, and a house full of phones shares an address.
	refresh.Limit, refresh.LimitMember = admission.LimitGeneral, ""
	httpapi.Register(a, refresh.WithProblems(errRefreshExpired, errRefreshInvalid, errRefreshReused), g.refresh)
	g.registerLogout(a)
}

type refreshInput struct {
	Body struct {
		_            struct{} `schema:"TokenRefresh"`
		RefreshToken string   `json:"refresh_token" maxLength:"4096" doc:"As handed out last"`
		DeviceID     string   `json:"device_id,omitempty" doc:"As in device at sign-in, or in PUT /users/me/devices/{device_id}"`
	}
}

var (
	errRefreshExpired = problem.New(problem.Unauthenticated, "token_expired")
	errRefreshInvalid = problem.New(problem.Unauthenticated, "token_invalid")
	errRefreshReused  = problem.New(problem.Unauthenticated, "token_reused")
)

// presented is the refresh token that a client sent, with its session and its person.
type presented struct {
	session      uuid.UUID
	replacedAt   *time.Time
	successor    []byte
	newest       bool // its successor was not replaced yet
	sameDevice   bool // the client named the device of the session
	forgiven     bool // it was exchanged again before; see reissue
	expired      bool
	revoked      bool
	secondFactor bool
	person       person
}

func (g *Group) refresh(ctx context.Context, in *refreshInput) (*tokensOutput, error) {
	tokens, err := g.renew(ctx, in.Body.RefreshToken, in.Body.DeviceID)
	if err != nil {
		return nil, err
	}
	answer := &tokensOutput{Body: *tokens}
	answer.Body.Warnings = warning.FromContext(ctx).List()
	return answer, nil
}

// renew exchanges a refresh token. deviceID may be empty.
func (g *Group) renew(ctx context.Context, token, deviceID string) (*Tokens, error) {
	var (
		out     *database.Ask[*Tokens]
		refused error
	)
	err := g.db.InTx(ctx, func(tx *database.Tx) error {
		out, refused = nil, nil
		hash := refreshHash(token)
		t, err := loadPresented(ctx, tx, hash, deviceID, g.clock.Now())
		if errors.Is(err, errNobody) {
			refused = errRefreshInvalid
			return nil
		}
		if err != nil {
			return err
		}
		out, refused, err = g.exchange(ctx, tx, t, hash)
		return err
	})
	if err == nil {
		err = refused // a refusal may have ended the session, which had to commit
	}
	if err != nil {
		return nil, err
	}
	return out.Get(), nil
}

// exchange answers a known refresh token. The session's row is locked, so that parallel exchanges
// of one token run one after the other. The first error is the refusal, after which the transaction
// commits; the second one rolls it back.
func (g *Group) exchange(ctx context.Context, tx *database.Tx, t presented, hash []byte) (*database.Ask[*Tokens], error, error) {
	now := g.clock.Now()
	switch {
	case t.revoked && t.replacedAt == nil:
		return nil, errRefreshInvalid, nil
	case t.person.suspended:
		return nil, errRefreshInvalid, nil
	case t.answerMayBeLost() && now.Sub(*t.replacedAt) <= refreshGrace:
		out, err := g.repeat(ctx, tx, t)
		return out, nil, err
	case t.answerMayBeLost() && t.sameDevice && !t.forgiven && !t.expired:
		out, err := g.reissue(ctx, tx, t, hash, now)
		return out, nil, err
	case t.replacedAt != nil:
		g.revoker.One(ctx, tx, t.person.id, t.session, identity.Reused, now)
		return nil, errRefreshReused, nil
	case t.expired:
		return nil, errRefreshExpired, nil
	}
	out, err := g.rotate(ctx, tx, t, hash, now)
	return out, nil, err
}

// answerMayBeLost reports that t was replaced and that nobody has used its successor.
func (t presented) answerMayBeLost() bool {
	return t.replacedAt != nil && !t.revoked && t.newest && t.successor != nil
}

// repeat returns the pair that replaced a token again.
func (g *Group) repeat(ctx context.Context, tx *database.Tx, t presented) (*database.Ask[*Tokens], error) {
	p, err := g.openPair(t.successor)
	if err != nil {
		return nil, err
	}
	return g.tokens(ctx, tx, t.person.id, p), nil
}

// reissue returns the refresh token that replaced t once more, with a new access token. If somebody else has that refresh
// token too, the second of them to use it ends the session.
func (g *Group) reissue(ctx context.Context, tx *database.Tx, t presented, hash []byte, now time.Time) (*database.Ask[*Tokens], error) {
	p, err := g.openPair(t.successor)
	if err != nil {
		return nil, err
	}
	if p.Access, err = g.signer.Access(t.person, t.session, t.secondFactor, now); err != nil {
		return nil, err
	}
	p.ExpiresAt = now.Add(accessLife)
	sealed, err := g.sealPair(p)
	if err != nil {
		return nil, err
	}
	// From now on the client may ask for this pair for another refreshGrace.
	tx.Queue(`UPDATE refresh_tokens SET replaced_at = $2, forgiven_at = $2, successor = $3 WHERE token_hash = $1`, hash, now, sealed)
	tx.Queue(`UPDATE refresh_tokens SET expires_at = $2 WHERE token_hash = $1`, refreshHash(p.Refresh), now.Add(refreshLife))
	extendSession(tx, t.session, now)
	return g.tokens(ctx, tx, t.person.id, p), nil
}

// pairPurpose separates sealed pairs from other sealed values.
const pairPurpose = "refresh pair"

func (g *Group) sealPair(p pair) ([]byte, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode tokens: %w", err)
	}
	return g.sealer.Seal(pairPurpose, raw), nil
}

func (g *Group) openPair(sealed []byte) (pair, error) {
	raw, err := g.sealer.Open(pairPurpose, sealed)
	if err != nil {
		return pair{}, fmt.Errorf("repeat tokens: %w", err)
	}
	var p pair
	if err := json.Unmarshal(raw, &p); err != nil {
		return pair{}, fmt.Errorf("repeat tokens: %w", err)
	}
	return p, nil
}

// extendSession starts the 60 days of a session anew.
func extendSession(p database.Pipeline, session uuid.UUID, now time.Time) {
	p.Queue(`UPDATE sessions SET last_used_at = $2, expires_at = $3 WHERE id = $1`, session, now, now.Add(refreshLife))
}

func (g *Group) rotate(ctx context.Context, tx *database.Tx, t presented, hash []byte, now time.Time) (*database.Ask[*Tokens], error) {
	access, err := g.signer.Access(t.person, t.session, t.secondFactor, now)
	if err != nil {
		return nil, err
	}
	p := pair{Access: access, Refresh: newRefreshToken(), ExpiresAt: now.Add(accessLife)}
	sealed, err := g.sealPair(p)
	if err != nil {
		return nil, err
	}
	storeRefresh(tx, p.Refresh, t.session, hash, now)
	tx.Queue(`UPDATE refresh_tokens SET replaced_at = $2, successor = $3 WHERE token_hash = $1`, hash, now, sealed)
	// The grace of the token before this one has ended with its successor's use.
	tx.Queue(`UPDATE refresh_tokens SET successor = NULL
	          WHERE token_hash = (SELECT parent_hash FROM refresh_tokens WHERE token_hash = $1)`, hash)
	extendSession(tx, t.session, now)
	return g.tokens(ctx, tx, t.person.id, p), nil
}

// loadPresented locks the session of a refresh token, then reads the token's state, in one round trip. It fails with
// errNobody for an unknown token. deviceID is what the client sent; it may be empty.
func loadPresented(ctx context.Context, tx *database.Tx, hash []byte, deviceID string, now time.Time) (presented, error) {
	const lock = `
		SELECT s.id FROM sessions s JOIN refresh_tokens t ON t.session_id = s.id WHERE t.token_hash = $1 FOR UPDATE OF s`
	tx.Queue(lock, hash)
	// A statement of its own: it sees what the holder of the lock before us has committed.
	const q = `
		SELECT s.id, t.replaced_at, t.successor,
		       NOT EXISTS (SELECT FROM refresh_tokens c
		                    WHERE c.session_id = t.session_id AND c.parent_hash = t.token_hash AND c.replaced_at IS NOT NULL),
		       coalesce(s.device_id = $3, false) OR EXISTS (SELECT FROM devices d WHERE d.session_id = s.id AND d.device_id = $3),
		       t.forgiven_at IS NOT NULL,
		       t.expires_at <= $2 OR s.expires_at <= $2, s.revoked_at IS NOT NULL, s.second_factor_at IS NOT NULL
		  FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.token_hash = $1`
	found := database.AskRow(tx, scanPresented, q, hash, now, deviceID).Missing(errNobody)
	const owner = `id = (SELECT s.user_id FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.token_hash = $1)`
	p := askPerson(tx, owner, hash, false)
	if err := tx.Flush(ctx); err != nil {
		return presented{}, fmt.Errorf("read refresh token: %w", err)
	}
	if !p.Get().there() {
		return presented{}, errNobody
	}
	t := found.Get()
	t.person = p.Get()
	return t, nil
}

func scanPresented(row pgx.CollectableRow) (presented, error) {
	var t presented
	err := row.Scan(&t.session, &t.replacedAt, &t.successor, &t.newest, &t.sameDevice, &t.forgiven, &t.expired, &t.revoked, &t.secondFactor)
	return t, err
}
