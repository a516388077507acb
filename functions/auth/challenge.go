package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
)

const (
	challengeAttempts = 5 // how often a challenge may be answered wrongly
	totpDigits        = 6 // of a code of the app
)

func (g *Group) registerSecondFactor(a *httpapi.API) {
	verify := operation("/auth/totp/verify", "Answer the challenge of the second factor, and sign in",
		"With a code of the app, or one of the recovery codes, each of which works once.")
	verify.LimitMember = "challenge_id"
	httpapi.Register(a, verify.WithProblems(errChallengeExpired, errFactorInvalid.With("attempts_left", 4), errSuspended), g.answerChallenge)
	g.registerEnrollment(a)
}

// challenge asks p for the second factor.
func (g *Group) challenge(in database.Pipeline, p person, from *device) (*Challenge, error) {
	if from == nil {
		from = &device{}
	}
	raw, err := json.Marshal(from)
	if err != nil {
		return nil, fmt.Errorf("encode device: %w", err)
	}
	id, now := uuid.New(), g.clock.Now() // all random: it must not be guessed, because it proves the password
	const insert = `INSERT INTO login_challenges (id, user_id, device, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`
	in.Queue(insert, id, p.id, string(raw), now, now.Add(challengeLife))
	return &Challenge{Kind: kindSecondFactor, ChallengeID: id, SecondFactor: "totp", ExpiresIn: int(challengeLife.Seconds())}, nil
}

type challengeInput struct {
	Body struct {
		_            struct{}  `schema:"SecondFactorVerify"`
		ChallengeID  uuid.UUID `json:"challenge_id" format:"uuid"`
		Code         string    `json:"code,omitempty" format:"typed-code" maxLength:"64" doc:"6 digits of the app" example:"123456"`
		RecoveryCode string    `json:"recovery_code,omitempty" maxLength:"64" doc:"Instead of code"`
	}
}

var (
	errChallengeExpired = problem.New(problem.BadRequest, "challenge_expired")
	errFactorInvalid    = problem.New(problem.BadRequest, "second_factor_invalid")
)

func (g *Group) answerChallenge(ctx context.Context, in *challengeInput) (*signInOutput, error) {
	entered, err := enteredFactor(in.Body.Code, in.Body.RecoveryCode)
	if err != nil {
		return nil, err
	}
	user, left, from, err := g.attemptChallenge(ctx, in.Body.ChallengeID)
	if err != nil {
		return nil, err
	}
	// Failures count for the person, not the challenge: a new challenge gives no further guesses.
	subject := factorSubject(user)
	if err := g.lockout.enter(ctx, subject); err != nil {
		return nil, err
	}
	return g.signInWith(ctx, func(tx *outbox.Tx) (*database.Ask[signInBody], error) {
		now := g.clock.Now()
		asked := askPerson(tx, byID, user, true)
		consumed := consumeChallenge(tx, in.Body.ChallengeID, now)
		shown := g.askFactor(tx, user, entered)
		if err := tx.Flush(ctx); err != nil {
			return nil, fmt.Errorf("read challenge: %w", err)
		}
		p := asked.Get()
		if !p.there() || consumed.Get() == 0 {
			return nil, errChallengeExpired
		}
		ok, err := g.factorShown(tx, user, shown.Get())
		if err != nil {
			return nil, err
		}
		if !ok { // rolls the consumption back: the challenge has attempts left
			return nil, errFactorInvalid.With("attempts_left", left)
		}
		g.lockout.succeeded(tx, subject)
		return g.signIn(ctx, tx.Tx, p, from, factorPassed{at: &now})
	})
}

// attemptChallenge uses an attempt, also when the answer turns out right. It returns the user, the attempts left and the device.
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

// consumeChallenge marks a challenge as used. The result is 0 when another request used it first, else 1.
func consumeChallenge(p database.Pipeline, id uuid.UUID, now time.Time) *database.Ask[int64] {
	return database.AskAffected(p, `UPDATE login_challenges SET consumed_at = $2 WHERE id = $1 AND consumed_at IS NULL`, id, now)
}

// factor is the second factor that was sent, and the stored secret to check it with.
type factor struct {
	code   string // of the app; empty when a recovery code was sent
	sealed []byte
	last   *int64 // time step of the code used last
	used   bool   // the recovery code was valid, and is used now
}

// typedFactor is a second factor as a person typed it: one of the two.
type typedFactor struct{ code, recovery string }

// enteredFactor reads what a person typed. A code of the wrong shape is refused here, before an attempt is counted.
func enteredFactor(code, recovery string) (typedFactor, error) {
	t := typedFactor{code: credential.TypedCode(code)}
	if t.code == "" {
		t.recovery = credential.TypedCode(recovery)
	}
	if !credential.IsDigits(t.code, totpDigits) && len(t.recovery) != credential.RecoveryLength {
		return typedFactor{}, errFactorInvalid
	}
	return t, nil
}

// askFactor reads the secret to check a code of the app with, or marks a recovery code as used.
// The caller has locked the person's row.
func (g *Group) askFactor(p database.Pipeline, user uuid.UUID, entered typedFactor) *database.Ask[factor] {
	if code := entered.code; code != "" {
		secret := database.AskOptional(p, func(row pgx.CollectableRow) (factor, error) {
			f := factor{code: code}
			err := row.Scan(&f.sealed, &f.last)
			return f, err
		}, `SELECT totp_secret, totp_last_step FROM users WHERE id = $1`, user)
		return database.Derive(func() factor {
			if secret.Get() == nil {
				return factor{code: code}
			}
			return *secret.Get()
		})
	}
	used := credential.UseRecoveryCode(p, g.sealer, user, entered.recovery, g.clock.Now())
	return database.Derive(func() factor { return factor{used: used.Get() == 1} })
}

// factorShown reports whether the factor is valid. It stores the time step of a code of the app, so that the code works once.
func (g *Group) factorShown(p database.Pipeline, user uuid.UUID, f factor) (bool, error) {
	if f.code == "" || f.sealed == nil {
		return f.used, nil
	}
	secret, err := g.sealer.Open(credential.TOTPSealPurpose, f.sealed)
	if err != nil {
		return false, fmt.Errorf("read second factor: %w", err)
	}
	var used int64
	if f.last != nil {
		used = *f.last
	}
	step, ok := credential.CheckTOTP(secret, f.code, g.clock.Now(), used)
	if ok {
		p.Queue(`UPDATE users SET totp_last_step = $2 WHERE id = $1`, user, step)
	}
	return ok, nil
}
