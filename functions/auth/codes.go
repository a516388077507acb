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

// codes issues and checks one-time codes. For an address without an account it stores a
// decoy, so that the answer does not reveal who has an account.
type codes struct {
	sealer *seal.Sealer
	clock  timestamp.Clock
}

// issued is the outcome of asking for a code.
type issued struct {
	code string        // empty when no code may be sent now, or for a decoy
	wait time.Duration // until the next code may be sent; 0 when one may be sent now
	// exhausted reports that the address has used all codes of this hour. The last one may have expired.
	exhausted bool
}

// wanted is a request for a code.
type wanted struct {
	address string
	purpose purpose
	// decoy asks for a stored code that nothing matches and that is not mailed.
	decoy bool
	// overDecoys ignores decoys when the wait is counted. A new account needs a real code even
	// if a decoy was stored for its address less than a minute ago.
	overDecoys bool
}

// asked is a request for a code, with the account of the address and whether a code may be sent now.
type asked struct {
	wanted
	owner  person // zero when no account has the address
	issued issued
	hash   []byte
	now    time.Time
}

// look locks an address and reads its account and its recent codes, in one round trip. Other requests for the
// address wait until the transaction ends.
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

// lockAddress makes other requests for the address wait until the transaction ends.
func lockAddress(tx *database.Tx, hash []byte) {
	tx.Queue(`SELECT pg_advisory_xact_lock(('x' || encode(substring($1::bytea FOR 8), 'hex'))::bit(64)::bigint)`, hash)
}

// sentCodes are the codes of an address within the last hour.
type sentCodes struct {
	Count  int
	Oldest *time.Time
	Newest *time.Time // of the purpose asked for
}

// wait returns how long the next code has to wait: 0 when it may be sent now.
func (s sentCodes) wait(now time.Time) issued {
	var i issued
	if s.Newest != nil {
		i.wait = max(s.Newest.Add(resendAfter).Sub(now), 0)
	}
	if s.Count >= codesAnHour {
		i.wait, i.exhausted = max(i.wait, s.Oldest.Add(time.Hour).Sub(now)), true
	}
	return i
}

// issue stores a new code, or a decoy that nothing matches. An address gets at most one code a
// minute for a purpose, and five an hour in all.
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

// try uses an attempt of the newest code of an address. It returns the id to consume when the
// code matches. It fails with otp_invalid and the attempts left, or with otp_expired when the
// address has no valid code.
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

// consume marks a code as used and locks the account of the address, in one round trip. It fails with otp_expired
// when another request used the code first, or when the account was erased meanwhile.
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
