package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
)

// challengeAttempts is how often a challenge may be answered wrongly.
const challengeAttempts = 5

func (g *Group) registerSecondFactor(a *httpapi.API) {
	verify := operation("/auth/totp/verify", "Answer the challenge of the second factor, and sign in",
		"With a code of the app, or one of the recovery codes, each of which works once.")
	verify.Errors = []int{http.StatusBadRequest, http.StatusForbidden}
	verify.LimitMember = "challenge_id"
	httpapi.Register(a, verify, g.answerChallenge)
	g.registerEnrollment(a)
}

// challenge asks p for the second factor.
func (g *Group) challenge(ctx context.Context, tx database.Querier, p person, from *device) (*Challenge, error) {
	if from == nil {
		from = &device{}
	}
	raw, err := json.Marshal(from)
	if err != nil {
		return nil, fmt.Errorf("encode device: %w", err)
	}
	id, now := uuid.New(), g.clock.Now() // random through and through: knowing it is half of an answer
	const insert = `INSERT INTO login_challenges (id, user_id, device, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`
	if _, err := tx.Exec(ctx, insert, id, p.id, raw, now, now.Add(challengeLife)); err != nil {
		return nil, fmt.Errorf("store challenge: %w", err)
	}
	return &Challenge{ChallengeID: id, SecondFactor: "totp", ExpiresIn: int(challengeLife.Seconds())}, nil
}

type challengeInput struct {
	Body struct {
		ChallengeID  uuid.UUID `json:"challenge_id" format:"uuid"`
		Code         string    `json:"code,omitempty" maxLength:"20" doc:"6 digits of the app" example:"123456"`
		RecoveryCode string    `json:"recovery_code,omitempty" maxLength:"40" doc:"Instead of code"`
	}
}

var (
	errChallengeExpired = problem.New(problem.BadRequest, "challenge_expired")
	errFactorInvalid    = problem.New(problem.BadRequest, "second_factor_invalid")
)

func (g *Group) answerChallenge(ctx context.Context, in *challengeInput) (*signInOutput, error) {
	user, left, from, err := g.attemptChallenge(ctx, in.Body.ChallengeID)
	if err != nil {
		return nil, err
	}
	// A person has one budget for all challenges: starting anew gives no further guesses.
	subject := "second factor|" + user.String()
	if err := g.lockout.enter(ctx, subject); err != nil {
		return nil, err
	}
	var out *signInOutput
	err = g.outbox.Do(ctx, func(w *outbox.Work) error {
		p, err := personBy(ctx, w, byID, user, true)
		if errors.Is(err, errNobody) {
			return errChallengeExpired
		}
		if err != nil {
			return err
		}
		now := g.clock.Now()
		if err := g.consumeChallenge(ctx, w, in.Body.ChallengeID, now); err != nil {
			return err
		}
		ok, err := g.factorShown(ctx, w, p.id, in.Body.Code, in.Body.RecoveryCode)
		if err != nil {
			return err
		}
		if !ok { // rolls the consumption back: the challenge has attempts left
			return errFactorInvalid.With("attempts_left", left)
		}
		out, err = g.signIn(ctx, w, p, from, factorPassed{at: &now})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, g.lockout.succeeded(ctx, subject)
}

// attemptChallenge spends an attempt, whatever becomes of it. It returns the user, the attempts left and the device.
func (g *Group) attemptChallenge(ctx context.Context, id uuid.UUID) (uuid.UUID, int, *device, error) {
	const attempt = `
		UPDATE login_challenges SET attempts = attempts + 1
		 WHERE id = $1 AND consumed_at IS NULL AND expires_at > $2 AND attempts < $3
		RETURNING user_id, attempts, device`
	var user uuid.UUID
	var attempts int
	var raw []byte
	err := g.db.QueryRow(ctx, attempt, id, g.clock.Now(), challengeAttempts).Scan(&user, &attempts, &raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, 0, nil, errChallengeExpired
	}
	if err != nil {
		return uuid.Nil, 0, nil, fmt.Errorf("read challenge: %w", err)
	}
	from := &device{}
	if err := json.Unmarshal(raw, from); err != nil {
		return uuid.Nil, 0, nil, fmt.Errorf("decode device: %w", err)
	}
	return user, challengeAttempts - attempts, from, nil
}

func (g *Group) consumeChallenge(ctx context.Context, tx database.Querier, id uuid.UUID, now time.Time) error {
	tag, err := tx.Exec(ctx, `UPDATE login_challenges SET consumed_at = $2 WHERE id = $1 AND consumed_at IS NULL`, id, now)
	if err != nil {
		return fmt.Errorf("consume challenge: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errChallengeExpired
	}
	return nil
}

// factorShown checks a code of the app or a recovery code, and uses it up. The
// person's row is locked by the caller.
func (g *Group) factorShown(ctx context.Context, tx database.Querier, user uuid.UUID, code, recovery string) (bool, error) {
	if code = strings.ReplaceAll(strings.TrimSpace(code), " ", ""); code != "" {
		return g.codeShown(ctx, tx, user, code)
	}
	const use = `
		UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND code_hmac = ANY($2) AND used_at IS NULL`
	tag, err := tx.Exec(ctx, use, user, g.sealer.MACs(macRecovery, recoveryInput(user, recovery)), g.clock.Now())
	if err != nil {
		return false, fmt.Errorf("use recovery code: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}
