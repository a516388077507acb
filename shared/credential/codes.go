package credential

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// CodePurpose is what a mail with a code or link is for. A code is valid for its purpose alone.
type CodePurpose string

// The purposes.
const (
	ForRegistration  CodePurpose = "registration"
	ForPasswordReset CodePurpose = "password_reset"
	ForSignIn        CodePurpose = "email_code" // also stands for the password when an account is deleted
	ForVerifyLink    CodePurpose = "verify_link"
	ForResetLink     CodePurpose = "reset_link"
)

// Rules of the contract for one-time codes.
const (
	CodeLife        = 10 * time.Minute
	CodeResendAfter = 60 * time.Second
	// RegistrationKept is how long signing in tells that a registration was not confirmed. Rows are kept longer (relay).
	RegistrationKept = 7 * 24 * time.Hour

	networkAttempts = 5  // by one network, for one code
	codeAttempts    = 20 // by all networks together, for one code
	codesAnHour     = 5  // for an address; for sign-in codes, for an address and a network
	signInsAnHour   = 20 // sign-in codes for an address, by all networks together
	codeDigits      = 6
	longCodeDigits  = 9  // of an address's codes after manyWrong wrong ones, until the day ends (UTC)
	manyWrong       = 20 // wrong codes of an address in a day
)

// Purposes of keyed hashes.
const (
	macAddress = "address"
	macCode    = "one-time code"
	macNetwork = "network"
	macProof   = "registration proof"

	macLateProof = "late registration proof"
)

// Codes issues and checks one-time codes of mails. For an address that may not use a code it stores a decoy,
// which no code matches, so that the answers do not reveal who has an account.
type Codes struct {
	sealer *seal.Sealer
	clock  timestamp.Clock
}

// NewCodes makes Codes whose stored hashes are keyed by s.
func NewCodes(s *seal.Sealer, c timestamp.Clock) Codes { return Codes{sealer: s, clock: c} }

// AddressHashes are the stored forms of an address, the present one first.
func (c Codes) AddressHashes(address string) [][]byte {
	return c.sealer.MACs(macAddress, []byte(address))
}

// Proof is the stored form of the password that a mail to an address confirms. It is the same for the same
// address and password hash.
func (c Codes) Proof(address, passwordHash string) []byte {
	return c.sealer.MAC(macProof, proofInput(address, passwordHash))
}

// Proves reports whether proof is the Proof of an address and a password hash.
func (c Codes) Proves(proof []byte, address, passwordHash string) bool {
	return c.sealer.CheckMAC(macProof, proof, proofInput(address, passwordHash))
}

// LateProof is the Proof of a mail that was asked for after the registration was forgotten (RegistrationKept). It confirms
// the password and is no registration.
func (c Codes) LateProof(address, passwordHash string) []byte {
	return c.sealer.MAC(macLateProof, proofInput(address, passwordHash))
}

// ProvesLate reports whether proof is the LateProof of an address and a password hash.
func (c Codes) ProvesLate(proof []byte, address, passwordHash string) bool {
	return c.sealer.CheckMAC(macLateProof, proof, proofInput(address, passwordHash))
}

func proofInput(address, passwordHash string) []byte { return []byte(address + "\x00" + passwordHash) }

// Network is the network of a client's address: its first bits4 bits for IPv4, bits6 for IPv6.
// An address that cannot be read is "unknown".
func Network(address string, bits4, bits6 int) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	bits := bits6
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		bits = bits4
	}
	return netip.PrefixFrom(ip, bits).Masked().String()
}

// networkHashes are the stored forms of the network of a client: one address of IPv4, a /64 of IPv6.
func (c Codes) networkHashes(address string) [][]byte {
	return c.sealer.MACs(macNetwork, []byte(Network(address, 32, 64)))
}

// Attempt is a code that somebody entered.
type Attempt struct {
	Address string
	Purpose CodePurpose
	From    string // network address of the client
	Code    string // as it was sent
}

// MailedCode is a code that was entered correctly. It is not used up before Consume.
type MailedCode struct {
	ID uuid.UUID
	// Proof is what the code was mailed for; nil where it confirms no password, and for codes of versions before
	// December 2026.
	Proof    []byte
	MailedAt time.Time
}

// Errors of Try.
var (
	ErrCodeInvalid = problem.New(problem.BadRequest, "otp_invalid")
	ErrCodeExpired = problem.New(problem.BadRequest, "otp_expired")
)

// tried is a code that an attempt was made of.
type tried struct {
	id       uuid.UUID
	attempts int // by all networks, with this one
	own      int // by this network, with this one
	hash     []byte
	proof    []byte
	mailedAt time.Time
}

// Try uses an attempt of the newest code of an address, or of each sign-in code that is still valid. It fails with
// ErrCodeInvalid and attempts_left, or with ErrCodeExpired when this network has no code to try. A code of another
// shape than the mailed one is ErrCodeInvalid and uses no attempt.
func (c Codes) Try(ctx context.Context, db database.Querier, a Attempt) (MailedCode, error) {
	typed, digits := TypedCode(a.Code), 0
	if IsDigits(typed, codeDigits) || IsDigits(typed, longCodeDigits) {
		digits = len(typed)
	}
	of, err := c.attempt(ctx, db, a, digits)
	if err != nil {
		return MailedCode{}, err
	}
	if len(of) == 0 && digits != 0 {
		return MailedCode{}, ErrCodeExpired
	}
	left := -1
	for _, t := range of {
		if digits != 0 && c.sealer.CheckMAC(macCode, t.hash, codeInput(t.id, typed)) {
			return MailedCode{ID: t.id, Proof: t.proof, MailedAt: t.mailedAt}, nil
		}
		left = max(left, min(codeAttempts-t.attempts, networkAttempts-t.own))
	}
	if left < 0 {
		return MailedCode{}, ErrCodeInvalid
	}
	return MailedCode{}, ErrCodeInvalid.With("attempts_left", left)
}

// attempt counts an attempt of the codes with that many digits and returns all codes that may still be tried.
func (c Codes) attempt(ctx context.Context, db database.Querier, a Attempt, digits int) ([]tried, error) {
	const q = `
		UPDATE one_time_codes c
		   SET attempts = c.attempts + (coalesce(c.digits, 6) = $7)::integer,
		       tried_by = CASE WHEN coalesce(c.digits, 6) = $7 THEN array_append(c.tried_by, $4::bytea) ELSE c.tried_by END
		 WHERE c.id IN (SELECT id FROM one_time_codes WHERE address_hmac = ANY($1) AND purpose = $2
		                 ORDER BY created_at DESC, id DESC LIMIT $8 FOR UPDATE)
		   AND c.consumed_at IS NULL AND c.expires_at > $3 AND c.attempts < $5
		   AND coalesce(cardinality(array_positions(c.tried_by, $4::bytea)), 0) < $6
		RETURNING c.id, c.attempts, coalesce(cardinality(array_positions(c.tried_by, $4::bytea)), 0), c.code_hmac, c.proves, c.created_at`
	newest := 1
	if a.Purpose == ForSignIn {
		newest = signInsAnHour
	}
	rows, err := db.Query(ctx, q, c.AddressHashes(a.Address), string(a.Purpose), c.clock.Now(), c.networkHashes(a.From)[0],
		codeAttempts, networkAttempts, digits, newest)
	if err != nil {
		return nil, fmt.Errorf("try one-time code: %w", err)
	}
	of, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (tried, error) {
		var t tried
		err := row.Scan(&t.id, &t.attempts, &t.own, &t.hash, &t.proof, &t.mailedAt)
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("try one-time code: %w", err)
	}
	return of, nil
}

// Consume marks a code as used. The result is 0 when another request used it first, else 1.
func (c Codes) Consume(p database.Pipeline, id uuid.UUID) *database.Ask[int64] {
	return database.AskAffected(p, `UPDATE one_time_codes SET consumed_at = $2 WHERE id = $1 AND consumed_at IS NULL`, id, c.clock.Now())
}

// codeInput binds a code to its row: equal codes have different hashes.
func codeInput(id uuid.UUID, code string) []byte { return append(id[:], code...) }
