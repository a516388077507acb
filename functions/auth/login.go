package auth

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (g *Group) registerLogin(a *httpapi.API) {
	login := operation("/auth/login", "Sign in with a password",
		"Reads JSON, and forms with username and password. Ten failures from one network lock the address out there for 15 minutes.")
	login.Aliases = map[string]string{"username": "email"}
	login.Forms = true
	httpapi.Register(a, login.WithProblems(errCredentials, errNotVerified, errSuspended), g.login)

	token := operation("/auth/token", "Sign in with an OAuth 2 password form",
		"Reads JSON, urlencoded and multipart forms. For the journey client: a wrong password is 400 here, never 401, which that client takes for a dead token.")
	token.OperationID = "login_api_v1_auth_token_post"
	token.Forms, token.ListForms, token.LimitMember = true, true, "username"
	httpapi.Register(a, token.WithProblems(errFormCredentials, errNotVerified, errSuspended), g.token)
	g.registerGoogle(a)
}

type loginInput struct {
	Origin
	Body struct {
		_        struct{} `schema:"Login"`
		Email    string   `json:"email" maxLength:"320" doc:"Alias: username" example:"maria@example.tl"`
		Password string   `json:"password" maxLength:"1024" example:"rua-Aimutin-42"`
		Device   *device  `json:"device,omitempty"`
	}
}

var (
	errCredentials     = problem.New(problem.Unauthenticated, "invalid_credentials")
	errFormCredentials = problem.New(problem.BadRequest, "invalid_credentials")
	errNotVerified     = problem.New(problem.Forbidden, "email_not_verified")
)

func (g *Group) login(ctx context.Context, in *loginInput) (*signInOutput, error) {
	from := in.Body.Device.known(ctx)
	out, err := g.withPassword(ctx, in.address, in.Body.Email, in.Body.Password, from)
	if errors.Is(err, errNotVerified) {
		err = cmp.Or(g.remind(ctx, in.Body.Email, in.address), err)
	}
	return out, err
}

type tokenInput struct {
	Origin
	Body struct {
		_         struct{} `schema:"PasswordGrant"`
		Username  string   `json:"username" maxLength:"320" doc:"The e-mail address" example:"maria@example.tl"`
		Password  string   `json:"password" maxLength:"1024"`
		GrantType string   `json:"grant_type,omitempty" maxLength:"50" words:"password" doc:"password, when given"`
	}
}

func (g *Group) token(ctx context.Context, in *tokenInput) (*signInOutput, error) {
	if in.Body.GrantType != "" && in.Body.GrantType != "password" {
		return nil, problem.InvalidField("grant_type", "expected password")
	}
	out, err := g.withPassword(ctx, in.address, in.Body.Username, in.Body.Password, nil)
	switch {
	case errors.Is(err, errCredentials):
		return nil, errFormCredentials
	case errors.Is(err, errNotVerified):
		err = cmp.Or(g.linkTo(ctx, in.Body.Username, in.address, scopeVerify), err)
	}
	return out, err
}

// withPassword signs in with an address and its password. An address without an account gets the
// same answer as a wrong password, and takes as long: both compute two hashes. The second hash is for somebody who registers
// an address and then signs in: the answer is email_not_verified for every address, also for one that has a confirmed account, while the
// registration is kept (credential.RegistrationKept), and invalid_credentials after that.
func (g *Group) withPassword(ctx context.Context, from, given, password string, phone *device) (*signInOutput, error) {
	address, _ := mail.ParseAddress(given) // an invalid address is empty, and no account has it
	subject := loginSubject(address, from, phone)
	b := &database.Batch{}
	g.lockout.queueEnter(b, subject)
	asked, pending := askPerson(b, byEmail, address, false), g.codes.AskRegistered(b, address)
	if err := b.Send(ctx, g.db); err != nil {
		return nil, err
	}
	p := asked.Get()
	verdict, err := g.hasher.Check(ctx, p.passwordHash, password)
	if err != nil {
		return nil, err
	}
	registered, err := g.registrationHash(ctx, address, password)
	if err != nil {
		return nil, err
	}
	unconfirmed := g.codes.Proves(pending.Get(), address, registered)
	matches := verdict.Matches && p.verified // only the kept registrations tell about an account that is not confirmed
	if !matches && !unconfirmed {
		return nil, errCredentials
	}
	if !matches || p.suspended { // the password was right, so it counts as no failure
		refusal := error(errNotVerified)
		if matches {
			refusal = errSuspended
		}
		b := &database.Batch{}
		g.lockout.succeeded(b, subject)
		return nil, cmp.Or(b.Send(ctx, g.db), refusal)
	}
	fresh := ""
	if verdict.Outdated {
		if fresh, err = g.hasher.Hash(ctx, password); err != nil {
			return nil, err
		}
	}
	return g.signInWith(ctx, func(tx *outbox.Tx) (*database.Ask[signInBody], error) {
		// Read again, with a lock: the account may have changed during the hash.
		now, err := lockPerson(ctx, tx.Tx, byID, p.id)
		if errors.Is(err, errNobody) || err == nil && now.passwordHash != p.passwordHash {
			return nil, errCredentials
		}
		if err != nil {
			return nil, err
		}
		g.lockout.succeeded(tx, subject)
		setPassword(tx, p.id, fresh)
		return g.signIn(ctx, tx.Tx, now, phone, factorPassed{})
	})
}

// setPassword stores a hash. An empty hash changes nothing.
func setPassword(p database.Pipeline, user uuid.UUID, hash string) {
	if hash != "" {
		p.Queue(`UPDATE users SET password_hash = $2, updated_at = now() WHERE id = $1`, user, hash)
	}
}

// remind mails a new code for the address, which is not confirmed. The caller has checked the password.
func (g *Group) remind(ctx context.Context, given, from string) error {
	address, _ := mail.ParseAddress(given)
	return g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		_, err := g.codeFor(ctx, tx, credential.CodeRequest{Address: address, Purpose: credential.ForRegistration, From: from})
		return err
	})
}

// Ten failures within 15 minutes lock a subject out for 15 minutes.
const (
	maxFailures   = 10
	lockedFor     = 15 * time.Minute
	failureWindow = 15 * time.Minute
)

// lockout bounds guesses of a subject: of an e-mail address from one network or one of its phones, or of a person's
// second factor. With the network in it, an attacker locks an owner out on that network alone. A phone that has signed in
// to the account before has a count of its own: a mobile carrier gives one network to strangers.
type lockout struct {
	db     *database.DB
	sealer *seal.Sealer
	clock  timestamp.Clock
}

// subject is what failures are counted for.
type subject struct {
	name string
	// email and device name the phone; phone is its subject, which counts instead when the account knows the phone.
	email, device, phone string
}

// loginSubject is the e-mail as seen from a network: /24 of IPv4, /48 of IPv6; or from a phone of the account.
func loginSubject(email, address string, phone *device) subject {
	s := subject{name: "login|" + email + "|" + credential.Network(address, 24, 48)}
	if phone != nil {
		s.email, s.device, s.phone = email, phone.DeviceID, "login|"+email+"|device|"+phone.DeviceID
	}
	return s
}

// factorSubject is a person's second factor.
func factorSubject(user uuid.UUID) subject { return subject{name: "second factor|" + user.String()} }

// enter counts an attempt as failed before it is made, so that parallel guesses are all counted.
// It fails with a 429 and Retry-After while the subject is locked out.
func (l lockout) enter(ctx context.Context, s subject) error {
	b := &database.Batch{}
	l.queueEnter(b, s)
	return b.Send(ctx, l.db)
}

// queueEnter is enter in a batch, which fails with the 429. The attempt stays counted.
func (l lockout) queueEnter(b *database.Batch, s subject) {
	const q = `
		INSERT INTO login_failures AS f (subject_hmac, failures, first_at)
		VALUES (CASE WHEN EXISTS (SELECT FROM devices d JOIN users u ON u.id = d.user_id WHERE u.email = $6::citext AND d.device_id = $7::text)
		             THEN $8::bytea ELSE $1::bytea END, 1, $2)
		ON CONFLICT (subject_hmac) DO UPDATE SET
		    failures = CASE WHEN f.first_at < $3 AND coalesce(f.locked_until, $2) <= $2 THEN 1 ELSE f.failures + 1 END,
		    first_at = CASE WHEN f.first_at < $3 AND coalesce(f.locked_until, $2) <= $2 THEN $2 ELSE f.first_at END,
		    locked_until = CASE WHEN f.locked_until > $2 THEN f.locked_until
		                        WHEN f.first_at >= $3 AND f.failures + 1 > $4 THEN $5 END
		RETURNING coalesce(locked_until, $2)`
	now := l.clock.Now()
	database.AskRow(b, pgx.RowTo[time.Time], q, l.hash(s.name), now, now.Add(-failureWindow), maxFailures, now.Add(lockedFor),
		s.email, s.device, l.hash(s.phone)).
		Check(func(until time.Time) error {
			if wait := until.Sub(now); wait > 0 {
				return httpapi.TooManyRequests(wait)
			}
			return nil
		})
}

// succeeded forgets the failures of a subject.
func (l lockout) succeeded(p database.Pipeline, s subject) {
	p.Queue(`DELETE FROM login_failures WHERE subject_hmac = ANY($1)`, [][]byte{l.hash(s.name), l.hash(s.phone)})
}

func (l lockout) hash(name string) []byte { return l.sealer.MAC(macFailures, []byte(name)) }
