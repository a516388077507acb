package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/lafaekstreet/backend/shared/admission"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/problem"
)

func (g *Group) registerSession(a *httpapi.API) {
	refresh := operation("/auth/refresh", "Exchange a refresh token for a new pair",
		"A refresh token works once. The one that was exchanged last gives the same pair again for 10 seconds, for a client whose "+
			"answer was lost; any other used one ends the session, for it may be in the wrong hands. "+
			"Reads JSON, forms and the query (deprecated).")
	refresh.OperationID = "refresh_api_v1_auth_refresh_post"
	refresh.Forms = true
	refresh.Errors = []int{http.StatusUnauthorized}
	// The token itself cannot be guessed, and a house full of phones shares an address.
	refresh.Limit, refresh.LimitMember = admission.LimitGeneral, ""
	httpapi.Register(a, refresh, g.refresh)
	g.registerLogout(a)
}

type refreshInput struct {
	Body struct {
		RefreshToken string `json:"refresh_token" maxLength:"4096" doc:"As handed out last"`
	}
}

var (
	errRefreshExpired = problem.New(problem.Unauthenticated, "token_expired")
	errRefreshInvalid = problem.New(problem.Unauthenticated, "token_invalid")
	errRefreshReused  = problem.New(problem.Unauthenticated, "token_reused")
)

// family is a refresh token with the session it belongs to.
type family struct {
	session      uuid.UUID
	replacedAt   *time.Time
	successor    []byte
	newest       bool // its successor was not replaced yet
	expired      bool
	revoked      bool
	secondFactor bool
	person       person
}

func (g *Group) refresh(ctx context.Context, in *refreshInput) (*tokensOutput, error) {
	var (
		out     *database.Ask[*Tokens]
		refused error
	)
	err := g.db.InTx(ctx, func(tx *database.Tx) error {
		out, refused = nil, nil
		hash := refreshHash(in.Body.RefreshToken)
		f, err := loadFamily(ctx, tx, hash, g.clock.Now())
		if errors.Is(err, errNobody) {
			refused = errRefreshInvalid
			return nil
		}
		if err != nil {
			return err
		}
		out, refused, err = g.exchange(ctx, tx, f, hash)
		return err
	})
	if err == nil {
		err = refused // a refusal may have ended the session, which had to commit
	}
	if err != nil {
		return nil, err
	}
	return &tokensOutput{Body: *out.Get()}, nil
}

// exchange answers a known refresh token. The session's row is locked, so that parallel exchanges
// of one token run one after the other. The first error is the refusal, after which the transaction
// commits; the second one rolls it back.
func (g *Group) exchange(ctx context.Context, tx *database.Tx, f family, hash []byte) (*database.Ask[*Tokens], error, error) {
	now := g.clock.Now()
	switch {
	case f.revoked && f.replacedAt == nil:
		return nil, errRefreshInvalid, nil
	case f.person.suspended:
		return nil, errRefreshInvalid, nil
	case f.replacedAt != nil && !f.revoked && f.newest && now.Sub(*f.replacedAt) <= refreshGrace:
		out, err := g.repeat(ctx, tx, f)
		return out, nil, err
	case f.replacedAt != nil:
		g.revoker.One(ctx, tx, f.person.id, f.session, identity.Reused, now)
		return nil, errRefreshReused, nil
	case f.expired:
		return nil, errRefreshExpired, nil
	}
	out, err := g.rotate(ctx, tx, f, hash, now)
	return out, nil, err
}

// repeat returns the pair that replaced a token again.
func (g *Group) repeat(ctx context.Context, tx *database.Tx, f family) (*database.Ask[*Tokens], error) {
	raw, err := g.sealer.Open(sealPair, f.successor)
	if err != nil {
		return nil, fmt.Errorf("repeat tokens: %w", err)
	}
	var p pair
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, fmt.Errorf("repeat tokens: %w", err)
	}
	return g.tokens(ctx, tx, f.person.id, p), nil
}

const sealPair = "refresh pair"

func (g *Group) rotate(ctx context.Context, tx *database.Tx, f family, hash []byte, now time.Time) (*database.Ask[*Tokens], error) {
	access, err := g.signer.Access(f.person, f.session, f.secondFactor, now)
	if err != nil {
		return nil, err
	}
	p := pair{Access: access, Refresh: newRefreshToken(), ExpiresAt: now.Add(accessLife)}
	raw, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode tokens: %w", err)
	}
	storeRefresh(tx, p.Refresh, f.session, hash, now)
	tx.Queue(`UPDATE refresh_tokens SET replaced_at = $2, successor = $3 WHERE token_hash = $1`, hash, now, g.sealer.Seal(sealPair, raw))
	// The grace of the token before this one has ended with its successor's use.
	tx.Queue(`UPDATE refresh_tokens SET successor = NULL
	          WHERE token_hash = (SELECT parent_hash FROM refresh_tokens WHERE token_hash = $1)`, hash)
	tx.Queue(`UPDATE sessions SET last_used_at = $2, expires_at = $3 WHERE id = $1`, f.session, now, now.Add(refreshLife))
	return g.tokens(ctx, tx, f.person.id, p), nil
}

// loadFamily locks the session of a refresh token, then reads the token's state, in one round trip. It fails with
// errNobody for an unknown token.
func loadFamily(ctx context.Context, tx *database.Tx, hash []byte, now time.Time) (family, error) {
	const lock = `
		SELECT s.id FROM sessions s JOIN refresh_tokens t ON t.session_id = s.id WHERE t.token_hash = $1 FOR UPDATE OF s`
	tx.Queue(lock, hash)
	// A statement of its own: it sees what the holder of the lock before us has committed.
	const q = `
		SELECT s.id, t.replaced_at, t.successor,
		       NOT EXISTS (SELECT FROM refresh_tokens c WHERE c.parent_hash = t.token_hash AND c.replaced_at IS NOT NULL),
		       t.expires_at <= $2 OR s.expires_at <= $2, s.revoked_at IS NOT NULL, s.second_factor_at IS NOT NULL
		  FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.token_hash = $1`
	found := database.AskRow(tx, scanFamily, q, hash, now).Missing(errNobody)
	const owner = `id = (SELECT s.user_id FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.token_hash = $1)`
	p := askPerson(tx, owner, hash, false)
	if err := tx.Flush(ctx); err != nil {
		return family{}, fmt.Errorf("read refresh token: %w", err)
	}
	if !p.Get().there() {
		return family{}, errNobody
	}
	f := found.Get()
	f.person = p.Get()
	return f, nil
}

func scanFamily(row pgx.CollectableRow) (family, error) {
	var f family
	err := row.Scan(&f.session, &f.replacedAt, &f.successor, &f.newest, &f.expired, &f.revoked, &f.secondFactor)
	return f, err
}
