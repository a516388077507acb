package auth

import (
	"context"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Ten failures within 15 minutes lock a subject out for 15 minutes.
const (
	maxFailures   = 10
	lockedFor     = 15 * time.Minute
	failureWindow = 15 * time.Minute
)

// lockout bounds guesses of a subject: of an e-mail address from one network, or of a person's
// second factor. With the network in it, an attacker locks an owner out on that network alone.
type lockout struct {
	db     *database.DB
	sealer *seal.Sealer
	clock  timestamp.Clock
}

// loginSubject is the e-mail as seen from a network: /24 of IPv4, /48 of IPv6.
func loginSubject(email, address string) string {
	network := "unknown"
	if ip, err := netip.ParseAddr(address); err == nil {
		ip = ip.Unmap()
		bits := 48
		if ip.Is4() {
			bits = 24
		}
		if p, err := ip.Prefix(bits); err == nil {
			network = p.String()
		}
	}
	return "login|" + email + "|" + network
}

// enter counts an attempt as failed before it is made, so that parallel guesses are all counted.
// It fails with a 429 and Retry-After while the subject is locked out.
func (l lockout) enter(ctx context.Context, subject string) error {
	b := &database.Batch{}
	l.queueEnter(b, subject)
	return b.Send(ctx, l.db)
}

// queueEnter is enter in a batch, which fails with the 429. The attempt stays counted.
func (l lockout) queueEnter(b *database.Batch, subject string) {
	const q = `
		INSERT INTO login_failures AS f (subject_hmac, failures, first_at) VALUES ($1, 1, $2)
		ON CONFLICT (subject_hmac) DO UPDATE SET
		    failures = CASE WHEN f.first_at < $3 AND coalesce(f.locked_until, $2) <= $2 THEN 1 ELSE f.failures + 1 END,
		    first_at = CASE WHEN f.first_at < $3 AND coalesce(f.locked_until, $2) <= $2 THEN $2 ELSE f.first_at END,
		    locked_until = CASE WHEN f.locked_until > $2 THEN f.locked_until
		                        WHEN f.first_at >= $3 AND f.failures + 1 > $4 THEN $5 END
		RETURNING coalesce(locked_until, $2)`
	now := l.clock.Now()
	database.AskRow(b, pgx.RowTo[time.Time], q, l.hash(subject), now, now.Add(-failureWindow), maxFailures, now.Add(lockedFor)).
		Check(func(until time.Time) error {
			if wait := until.Sub(now); wait > 0 {
				return httpapi.TooManyRequests(wait)
			}
			return nil
		})
}

// succeeded forgets the failures of subject.
func (l lockout) succeeded(p database.Pipeline, subject string) {
	p.Queue(`DELETE FROM login_failures WHERE subject_hmac = $1`, l.hash(subject))
}

func (l lockout) hash(subject string) []byte { return l.sealer.MAC(macFailures, []byte(subject)) }
