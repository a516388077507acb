package geocoding

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// After this many failures in a row the geocoder is left alone for a while.
const (
	breakAfter = 5
	breakFor   = 5 * time.Minute
)

// turn takes the next of the system's turns, one a second (Nominatim's usage
// policy), and waits for it. ErrSilent when it would take longer than patience or
// the geocoder is left alone after failures.
func (r *Resolver) turn(ctx context.Context, patience time.Duration) error {
	const query = `
		UPDATE geocoder_turn SET next_at = greatest(next_at, now()) + interval '1 second'
		 WHERE (open_until IS NULL OR open_until < now()) AND next_at <= now() + $1::interval
		RETURNING greatest(extract(epoch FROM next_at - interval '1 second' - now()), 0)::float8`
	var wait float64
	err := r.db.QueryRow(ctx, query, patience).Scan(&wait)
	if errors.Is(err, pgx.ErrNoRows) {
		return silent(errors.New("not its turn"))
	}
	if err != nil {
		return fmt.Errorf("take the geocoder's turn: %w", err)
	}
	select {
	case <-ctx.Done():
		return silent(ctx.Err())
	case <-time.After(time.Duration(wait * float64(time.Second))):
		return nil
	}
}

// settle counts failures in a row and opens the breaker at the limit; a success closes it.
func (r *Resolver) settle(ctx context.Context, failure error) error {
	query := `UPDATE geocoder_turn SET failures = 0, open_until = NULL WHERE failures > 0`
	args := []any{}
	if failure != nil {
		query = `UPDATE geocoder_turn SET failures = failures + 1,
			open_until = CASE WHEN failures + 1 >= $1 THEN now() + $2::interval END`
		args = []any{breakAfter, breakFor}
	}
	if _, err := r.db.Exec(ctx, query, args...); err != nil {
		return fmt.Errorf("settle the geocoder's turn: %w", err)
	}
	return nil
}
