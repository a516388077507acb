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

// Ten failures lock a subject out for a quarter of an hour.
const (
	maxFailures   = 10
	lockedFor     = 15 * time.Minute
	failureWindow = 15 * time.Minute
)

// lockout stops guessing. Its subject is an address together with the network
// the guesses come from, so that a stranger locks nobody out anywhere but there.
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

// enter counts an attempt before it is made, as if it had failed: parallel
// guesses cannot outrun the count. A 429 with Retry-After when locked out.
func (l lockout) enter(ctx context.Context, subject string) error {
	b := &database.Batch{}
	l.queueEnter(b, subject)
	return b.Send(ctx, l.db)
}

// queueEnter is enter in a batch, which fails with the 429; what was counted stays.
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
