package credential

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// CodeRequest asks for a mail with a code or link.
type CodeRequest struct {
	Address string
	Purpose CodePurpose
	From    string // network address of the client
	// Proof is the Proof of a registration; nil for a request that does not set a password.
	Proof []byte
}

// Mailed is what was mailed to an address lately, as far as it decides about the next mail.
type Mailed struct {
	// Proof is that of the newest unconfirmed registration of the address within RegistrationKept; nil when there was none.
	Proof []byte
	// Repeated reports that the request is a repeat, within the minute, of the registration that was mailed last.
	Repeated bool
	// Recent reports that the last mail of this purpose is less than a minute old.
	Recent bool
	// Wait is how long the next mail has to wait; 0 when it may be sent now.
	Wait time.Duration
	// Network reports that the client's network has had mails sent to too many addresses. Wait says how long that lasts.
	Network bool

	digits int
}

// LockAddress makes other requests for the address wait until the transaction ends.
func (c Codes) LockAddress(p database.Pipeline, address string) {
	p.Queue(`SELECT pg_advisory_xact_lock(('x' || encode(substring($1::bytea FOR 8), 'hex'))::bit(64)::bigint)`, c.AddressHashes(address)[0])
}

// AskMailed reads what was mailed to an address lately. networkAddresses is the number of addresses to
// which one network may request mails within an hour. The caller has locked the address.
func (c Codes) AskMailed(p database.Pipeline, r CodeRequest, networkAddresses int) *database.Ask[Mailed] {
	const q = `
		WITH hour AS MATERIALIZED (SELECT * FROM one_time_codes WHERE address_hmac = ANY($1::bytea[]) AND created_at > $3::timestamptz)
		SELECT counted.n, counted.oldest, signins.n, signins.oldest, newest.created_at, newest.proves, coalesce(newest.used_up, false),
		       (SELECT proves FROM one_time_codes WHERE address_hmac = ANY($1) AND proves IS NOT NULL AND consumed_at IS NULL AND created_at > $8::timestamptz
		         ORDER BY created_at DESC, id DESC LIMIT 1),
		       (SELECT coalesce(sum(attempts), 0) - count(*) FILTER (WHERE consumed_at IS NOT NULL AND attempts > 0) FROM one_time_codes WHERE address_hmac = ANY($1) AND created_at >= $5::timestamptz),
		       others.n, others.oldest, EXISTS (SELECT FROM hour WHERE asked_by = ANY($4::bytea[]))
		  FROM (SELECT count(*) AS n, min(created_at) AS oldest FROM hour
		         WHERE (purpose = 'email_code') = ($2::text = 'email_code') AND ($2 <> 'email_code' OR asked_by = ANY($4))) counted
		 CROSS JOIN (SELECT count(*) AS n, min(created_at) AS oldest FROM hour WHERE purpose = 'email_code') signins
		 CROSS JOIN (SELECT count(DISTINCT address_hmac) AS n, min(created_at) AS oldest FROM one_time_codes
		              WHERE asked_by = ANY($4) AND created_at > $3 AND address_hmac <> ALL($1)) others
		  LEFT JOIN LATERAL (SELECT created_at, proves, attempts >= $6::integer OR asked_by = ANY($4) AND coalesce(cardinality(array_positions(tried_by, ($4::bytea[])[1])), 0) >= $7::integer AS used_up
		              FROM hour WHERE purpose = $2 AND ($2 <> 'email_code' OR asked_by = ANY($4))
		             ORDER BY created_at DESC, id DESC LIMIT 1) newest ON true`
	now := c.clock.Now()
	asked := database.AskRow(p, pgx.RowToStructByPos[mailedRow], q, c.AddressHashes(r.Address), string(r.Purpose), now.Add(-time.Hour),
		c.networkHashes(r.From), now.UTC().Truncate(24*time.Hour), codeAttempts, networkAttempts, now.Add(-RegistrationKept))
	return database.Derive(func() Mailed { return c.mailed(asked.Get(), r, now, networkAddresses) })
}

// mailedRow is a row of AskMailed. Times are nil where there was no such mail within the hour.
type mailedRow struct {
	Count           int // that the hour's limit counts
	Oldest          *time.Time
	SignIns         int // sign-in codes, by all networks
	OldestSignIn    *time.Time
	Newest          *time.Time // of the purpose, and for sign-in codes of the network
	NewestProof     []byte
	UsedUp          bool // no attempt of the newest is left in all, or for the network that asked for it, which is this one
	Proof           []byte
	Wrong           int // wrong codes today
	OtherAddresses  int // that the network had mails sent to
	OldestOther     *time.Time
	NetworkHasAsked bool // for this address, within the hour
}

func (c Codes) mailed(row mailedRow, r CodeRequest, now time.Time, networkAddresses int) Mailed {
	m := Mailed{Proof: row.Proof, digits: codeDigits}
	if row.Wrong >= manyWrong {
		m.digits = longCodeDigits
	}
	minute := time.Duration(0)
	if row.Newest != nil {
		minute = max(row.Newest.Add(CodeResendAfter).Sub(now), 0)
	}
	m.Recent = minute > 0
	same := r.Proof == nil || string(r.Proof) == string(row.NewestProof)
	m.Repeated = m.Recent && r.Proof != nil && same && !row.UsedUp
	if same && !row.UsedUp {
		m.Wait = minute
	}
	if row.Count >= codesAnHour {
		m.Wait = max(m.Wait, row.Oldest.Add(time.Hour).Sub(now))
	}
	if r.Purpose == ForSignIn && row.SignIns >= signInsAnHour {
		m.Wait = max(m.Wait, row.OldestSignIn.Add(time.Hour).Sub(now))
	}
	if row.OtherAddresses >= networkAddresses && !row.NetworkHasAsked {
		m.Wait, m.Network = max(m.Wait, row.OldestOther.Add(time.Hour).Sub(now)), true
	}
	return m
}

// AskRegistered reads the Proof of the newest registration of an address that was not confirmed, as far as it is kept
// (RegistrationKept); nil without one. It is stored for every address, also for one with a confirmed account.
func (c Codes) AskRegistered(p database.Pipeline, address string) *database.Ask[[]byte] {
	const q = `
		SELECT proves FROM one_time_codes
		 WHERE address_hmac = ANY($1) AND proves IS NOT NULL AND consumed_at IS NULL AND created_at > $2
		 ORDER BY created_at DESC, id DESC LIMIT 1`
	found := database.AskOptional(p, pgx.RowTo[[]byte], q, c.AddressHashes(address), c.clock.Now().Add(-RegistrationKept))
	return database.Derive(func() []byte {
		if found.Get() == nil {
			return nil
		}
		return *found.Get()
	})
}

// EndRegistrations voids all codes and links that confirm a registration of an address: it is confirmed now.
func (c Codes) EndRegistrations(p database.Pipeline, address string) {
	p.Queue(`UPDATE one_time_codes SET consumed_at = $2 WHERE address_hmac = ANY($1) AND proves IS NOT NULL AND consumed_at IS NULL`,
		c.AddressHashes(address), c.clock.Now())
}

// Issue stores a new code and returns it. The caller has seen that m.Wait is 0. With decoy it stores a code that nothing
// matches, and returns none.
func (c Codes) Issue(p database.Pipeline, r CodeRequest, m Mailed, decoy bool) string {
	id, code, now := database.NewID(), newCode(m.digits), c.clock.Now()
	hash := c.sealer.MAC(macCode, codeInput(id, code))
	if decoy {
		code = ""
		_, _ = rand.Read(hash) // never fails (crypto/rand, Go 1.24)
	}
	const insert = `
		INSERT INTO one_time_codes (id, address_hmac, purpose, code_hmac, decoy, created_at, expires_at, proves, asked_by, digits)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	p.Queue(insert, id, c.AddressHashes(r.Address)[0], string(r.Purpose), hash, decoy, now, now.Add(CodeLife), r.Proof,
		c.networkHashes(r.From)[0], m.digits)
	return code
}

// newCode is a random number of that many digits. A long one does not begin with 0, so that it survives as a JSON number.
func newCode(digits int) string {
	low, count := int64(0), int64(1_000_000)
	if digits == longCodeDigits {
		low, count = 100_000_000, 900_000_000
	}
	n, _ := rand.Int(rand.Reader, big.NewInt(count)) // never fails (crypto/rand, Go 1.24)
	return fmt.Sprintf("%0*d", digits, low+n.Int64())
}
