package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// purpose is what a mail to an address is for.
type purpose string

const (
	registration  purpose = "registration"
	passwordReset purpose = "password_reset"
	verifyLink    purpose = "verify_link"
	resetLink     purpose = "reset_link"
)

// Rules of the contract for one-time codes.
const (
	codeLife     = 10 * time.Minute
	codeAttempts = 5
	resendAfter  = 60 * time.Second
	codesAnHour  = 5
)

// codes issues and checks one-time codes. For an address nobody has, it does
// the same with a code that nothing matches.
type codes struct {
	sealer *seal.Sealer
	clock  timestamp.Clock
}

// issued is the outcome of asking for a code.
type issued struct {
	code string        // empty when none may be sent now, or nobody would get it
	wait time.Duration // until the next may be asked for, when none may be now
	// spent says that the hour's codes are: not even the last one need be good any more.
	spent bool
}

// wanted is a code somebody asks for.
type wanted struct {
	address string
	purpose purpose
	// decoy has it match nothing: nobody is to get it.
	decoy bool
	// overDecoys does not wait for decoys: the account was made only now, and the
	// newest code of its address would be one that nobody has.
	overDecoys bool
}

// asked is an address that somebody wants something mailed to: who has it, and whether a code may go out now.
type asked struct {
	wanted
	owner  person // zero for nobody
	issued issued
	hash   []byte
	now    time.Time
}

// look takes the turn of an address and reads all there is to know of it, in one round trip. Requests about one
// address wait for each other until the transaction ends.
func (c codes) look(ctx context.Context, tx *database.Tx, w wanted) (*asked, error) {
	hashes := c.sealer.MACs(macAddress, []byte(w.address))
	a := &asked{wanted: w, hash: hashes[0], now: c.clock.Now()}
	lockAddress(tx, a.hash)
	owner := askPerson(tx, byEmail, w.address, false)
	const q = `
		SELECT count(*), min(created_at), max(created_at) FILTER (WHERE purpose = $2 AND NOT (decoy AND $4))
		  FROM one_time_codes WHERE address_hmac = ANY($1) AND created_at > $3`
	sent := database.AskRow(tx, pgx.RowToStructByPos[sentCodes], q, hashes, string(w.purpose), a.now.Add(-time.Hour), w.overDecoys)
	if err := tx.Flush(ctx); err != nil {
		return nil, fmt.Errorf("look at an address: %w", err)
	}
	a.owner, a.issued = owner.Get(), sent.Get().wait(a.now)
	return a, nil
}

// lockAddress has requests about one address wait for each other until the transaction ends; what is asked next waits.
func lockAddress(tx *database.Tx, hash []byte) {
	tx.Queue(`SELECT pg_advisory_xact_lock(('x' || encode(substring($1::bytea FOR 8), 'hex'))::bit(64)::bigint)`, hash)
}

// sentCodes are those mailed to an address within the hour.
type sentCodes struct {
	Count  int
	Oldest *time.Time
	Newest *time.Time // of the purpose asked for
}

// wait tells how long the next code has to wait; it is no time at all while one may be sent.
func (s sentCodes) wait(now time.Time) issued {
	var i issued
	if s.Newest != nil {
		i.wait = max(s.Newest.Add(resendAfter).Sub(now), 0)
	}
	if s.Count >= codesAnHour {
		i.wait, i.spent = max(i.wait, s.Oldest.Add(time.Hour).Sub(now)), true
	}
	return i
}

// issue makes the newest code of an address for a purpose; a decoy matches
// nothing. At most one a minute and purpose, and five an hour and address.
func (c codes) issue(tx *database.Tx, a *asked) issued {
	if a.issued.wait > 0 {
		return a.issued
	}
	id, code := database.NewID(), newCode()
	mac := c.mac(id, code)
	if a.decoy {
		_, _ = rand.Read(mac) // never fails (crypto/rand, Go 1.24)
	}
	const insert = `
		INSERT INTO one_time_codes (id, address_hmac, purpose, code_hmac, decoy, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`
	tx.Queue(insert, id, a.hash, string(a.purpose), mac, a.decoy, a.now, a.now.Add(codeLife))
	if a.decoy {
		code = ""
	}
	return issued{code: code}
}

// try spends an attempt on the newest code of an address. It returns the id to
// consume when the code is right; else otp_invalid with the attempts left, or
// otp_expired when there is no code that could still be right.
func (c codes) try(ctx context.Context, db database.Querier, address string, p purpose, code string) (uuid.UUID, error) {
	const attempt = `
		UPDATE one_time_codes SET attempts = attempts + 1
		 WHERE id = (SELECT id FROM one_time_codes WHERE address_hmac = ANY($1) AND purpose = $2
		              ORDER BY created_at DESC, id DESC LIMIT 1)
		   AND consumed_at IS NULL AND expires_at > $3 AND attempts < $4
		RETURNING id, attempts, code_hmac`
	var (
		id       uuid.UUID
		attempts int
		mac      []byte
	)
	hashes := c.sealer.MACs(macAddress, []byte(address))
	err := db.QueryRow(ctx, attempt, hashes, string(p), c.clock.Now(), codeAttempts).Scan(&id, &attempts, &mac)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, errCodeExpired
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("try one-time code: %w", err)
	}
	if !c.sealer.CheckMAC(macCode, mac, codeInput(id, code)) {
		return uuid.Nil, errCodeInvalid.With("attempts_left", codeAttempts-attempts)
	}
	return id, nil
}

// consume uses the code up in the transaction of its effect and locks the person who has the address, in one round
// trip; otp_expired when another request was faster, or the person was erased since the code was mailed.
func (c codes) consume(ctx context.Context, tx *database.Tx, id uuid.UUID, address string) (person, error) {
	used := database.AskAffected(tx, `UPDATE one_time_codes SET consumed_at = $2 WHERE id = $1 AND consumed_at IS NULL`, id, c.clock.Now())
	p := askPerson(tx, byEmail, address, true)
	if err := tx.Flush(ctx); err != nil {
		return person{}, fmt.Errorf("consume one-time code: %w", err)
	}
	if used.Get() == 0 || !p.Get().there() {
		return person{}, errCodeExpired
	}
	return p.Get(), nil
}

var (
	errCodeInvalid = problem.New(problem.BadRequest, "otp_invalid")
	errCodeExpired = problem.New(problem.BadRequest, "otp_expired")
)

// Purposes of keyed hashes.
const (
	macAddress  = "address"
	macCode     = "one-time code"
	macFailures = "login failures"
	macRecovery = "recovery code"
	macPassword = "password fingerprint"
)

func (c codes) mac(id uuid.UUID, code string) []byte {
	return c.sealer.MAC(macCode, codeInput(id, code))
}

// codeInput binds a code to its row: equal codes have different hashes.
func codeInput(id uuid.UUID, code string) []byte { return append(id[:], code...) }

func newCode() string {
	n, _ := rand.Int(rand.Reader, big.NewInt(1_000_000)) // never fails (crypto/rand, Go 1.24)
	return fmt.Sprintf("%06d", n)
}

// codePurpose reads the purpose of a mailed code as clients write it.
func codePurpose(s string) (purpose, error) {
	switch locale.FoldWord(s) {
	case "", string(registration):
		return registration, nil
	case string(passwordReset):
		return passwordReset, nil
	}
	return "", problem.InvalidField("purpose", "expected registration or password_reset")
}
