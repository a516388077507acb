package geocoding

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// After breakAfter failures in a row Nominatim is not asked for breakFor.
const (
	breakAfter = 5
	breakFor   = 5 * time.Minute
)

// waitTurn takes the next turn to ask Nominatim and waits for it. There is one turn a second in the whole system, as the usage
// policy of Nominatim demands. It returns ErrNoAnswer when the wait would be longer than maxWait, or when Nominatim is not
// asked because of failures.
func (r *Resolver) waitTurn(ctx context.Context, maxWait time.Duration) error {
	const query = `
		UPDATE geocoder_turn SET next_at = greatest(next_at, now()) + interval '1 second'
		 WHERE (open_until IS NULL OR open_until < now()) AND next_at <= now() + $1::interval
		RETURNING greatest(extract(epoch FROM next_at - interval '1 second' - now()), 0)::float8`
	var wait float64
	err := r.db.QueryRow(ctx, query, maxWait).Scan(&wait)
	if errors.Is(err, pgx.ErrNoRows) {
		return noAnswer(errors.New("no turn in time"))
	}
	if err != nil {
		return fmt.Errorf("take a turn at the geocoder: %w", err)
	}
	select {
	case <-ctx.Done():
		return noAnswer(ctx.Err())
	case <-time.After(time.Duration(wait * float64(time.Second))):
		return nil
	}
}

// recordOutcome counts failures in a row. After breakAfter of them Nominatim is not asked for breakFor; a success resets this.
func (r *Resolver) recordOutcome(ctx context.Context, failure error) error {
	query := `UPDATE geocoder_turn SET failures = 0, open_until = NULL WHERE failures > 0`
	args := []any{}
	if failure != nil {
		query = `UPDATE geocoder_turn SET failures = failures + 1,
			open_until = CASE WHEN failures + 1 >= $1 THEN now() + $2::interval END`
		args = []any{breakAfter, breakFor}
	}
	if _, err := r.db.Exec(ctx, query, args...); err != nil {
		return fmt.Errorf("record the outcome of the geocoder: %w", err)
	}
	return nil
}
