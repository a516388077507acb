package admission

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// StoredLimits counts in the database, for all processes together. Each budget is spent by one statement that commits by
// itself: no transaction of a request holds its row. Keys are stored as keyed hashes.
type StoredLimits struct {
	db     database.Querier
	secret []byte
}

// NewStoredLimits counts in the table rate_limits of db. All processes must have the same secret.
func NewStoredLimits(db database.Querier, secret string) *StoredLimits {
	sum := sha256.Sum256([]byte("lafaekstreet rate limits " + secret))
	return &StoredLimits{db: db, secret: sum[:]}
}

// keyLength is how many bytes of a keyed hash are stored.
const keyLength = 16

func (l *StoredLimits) hash(key string) []byte {
	mac := hmac.New(sha256.New, l.secret)
	_, _ = mac.Write([]byte(key))
	return mac.Sum(nil)[:keyLength]
}

// takeSQL is Rate.take in the database. $1 is the key, $2 the present time, $3 the charge, $4 the window. A refused request
// changes no row. Its row of the result has the time that the statement saw when it began.
const takeSQL = `
	WITH taken AS (
		INSERT INTO rate_limits AS r (key_hmac, full_at)
		SELECT $1::bytea, $2::timestamptz + $3::interval WHERE $3::interval <= $4::interval
		ON CONFLICT (key_hmac) DO UPDATE SET full_at = greatest(r.full_at, $2::timestamptz) + $3::interval
		 WHERE greatest(r.full_at, $2::timestamptz) + $3::interval <= $2::timestamptz + $4::interval
		RETURNING full_at)
	SELECT true, full_at FROM taken
	UNION ALL
	SELECT false, full_at FROM rate_limits WHERE key_hmac = $1::bytea AND NOT EXISTS (SELECT FROM taken)`

// ask adds the statement that spends cost of a key to p.
func (l *StoredLimits) ask(p database.Pipeline, r Rate, key string, cost float64, now time.Time) *database.Ask[*Budget] {
	charge := r.charge(cost)
	return database.AskOptional(p, func(row pgx.CollectableRow) (Budget, error) {
		var allowed bool
		var fullAt time.Time
		if err := row.Scan(&allowed, &fullAt); err != nil {
			return Budget{}, err
		}
		ahead := max(fullAt.Sub(now), 0)
		if allowed {
			return r.budget(true, ahead, 0), nil
		}
		return r.budget(false, ahead, max(ahead+charge-r.window(), 0)), nil
	}, takeSQL, l.hash(key), now, charge, r.window())
}

// budgetOf is the result of ask. Without a row, more than a whole budget was asked for, or another request made the row
// meanwhile and emptied it.
func budgetOf(r Rate, taken *database.Ask[*Budget]) Budget {
	if b := taken.Get(); b != nil {
		return *b
	}
	return r.budget(false, r.window(), r.interval())
}

// giveBack returns cost of a key.
func (l *StoredLimits) giveBack(ctx context.Context, r Rate, key string, cost float64, now time.Time) (Budget, error) {
	const q = `
		WITH returned AS (UPDATE rate_limits SET full_at = full_at - $2::interval WHERE key_hmac = $1::bytea RETURNING full_at)
		SELECT coalesce((SELECT full_at FROM returned), $3::timestamptz)`
	var fullAt time.Time
	if err := l.db.QueryRow(ctx, q, l.hash(key), r.charge(cost), now).Scan(&fullAt); err != nil {
		return Budget{}, err
	}
	return r.budget(true, fullAt.Sub(now), 0), nil
}
