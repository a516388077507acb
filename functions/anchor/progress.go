package anchor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// notYet says that a step has to be tried again later. If failed is true, the step went wrong; otherwise it only has to
// wait.
type notYet struct {
	after  time.Duration
	cause  error
	failed bool
}

func (n *notYet) Error() string { return n.cause.Error() }

// needsOperator is a fault that only an operator can fix.
type needsOperator struct{ reason string }

func (n *needsOperator) Error() string { return n.reason }

// drive takes steps until the message is finished, and then returns true, or until a step has to wait.
func (r *round) drive(ctx context.Context, m *message) (bool, error) {
	for {
		if err := r.renew(ctx); err != nil {
			return false, err
		}
		err := r.step(ctx, m)
		var later *notYet
		var mend *needsOperator
		switch {
		case err == nil && (m.State == ledger.MessageConfirmed || m.State == ledger.MessageFailed):
			return true, nil
		case err == nil:
		case errors.As(err, &mend):
			return false, r.halt(ctx, m, mend)
		case errors.As(err, &later):
			return false, r.postpone(ctx, m, later)
		default:
			return false, err
		}
	}
}

func (r *round) step(ctx context.Context, m *message) error {
	switch m.State {
	case ledger.MessageClaimed:
		return r.stepSign(ctx, m)
	case ledger.MessagePrepared:
		return r.stepSend(ctx, m)
	case ledger.MessageSubmitted:
		return r.stepReceipt(ctx, m)
	case ledger.MessageReached:
		return r.stepConfirm(ctx, m)
	}
	return fmt.Errorf("ledger message %s is in unknown state %q", m.ID, m.State)
}

// advance stores what change makes of the message, and runs also in the same transaction. It fails with errLeaseLost if
// another round has moved the message meanwhile.
func (r *round) advance(ctx context.Context, m *message, change func(n *message), also ...func(tx *outbox.Tx) error) error {
	n, now := *m, r.Clock.Now()
	change(&n)
	err := r.Outbox.Do(ctx, func(tx *outbox.Tx) error {
		const update = `
UPDATE log_messages SET state = $4, transaction_id = $5, signed = $6, expires_at = $7, sequence_number = $8, running_hash = $9, consensus_nanos = $10,
       attempts = $11, shown = CASE WHEN $4 IN ('submitted', 'confirmed', 'failed') THEN first_index ELSE shown END, last_error = NULL, next_attempt_at = $12, updated_at = $12
WHERE id = $1 AND state = $2 AND transaction_id IS NOT DISTINCT FROM $3`
		tag, err := tx.Exec(ctx, update, m.ID, m.State, m.TransactionID, n.State, n.TransactionID, n.Signed, n.ExpiresAt, n.Sequence, n.RunningHash,
			n.Consensus, n.Attempts, now)
		if err != nil {
			return fmt.Errorf("move ledger message %s to %s: %w", m.ID, n.State, err)
		}
		if tag.RowsAffected() == 0 {
			return errLeaseLost
		}
		for _, f := range also {
			if err := f(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		*m = n
	}
	return err
}

// postpone plans the next try, with a growing delay.
func (r *round) postpone(ctx context.Context, m *message, n *notYet) error {
	if n.failed {
		r.Metrics.Add(catalog.LedgerRetry)
		r.Log.WarnContext(ctx, "ledger step failed, will be tried again", "message_id", m.ID, "state", m.State,
			"attempts", m.Attempts+1, "error", n.cause)
	}
	return r.setNext(ctx, m, r.Clock.Now().Add(backoff(n.after, m.Attempts)), n.cause)
}

func (r *round) setNext(ctx context.Context, m *message, at time.Time, cause error) error {
	const update = `
UPDATE log_messages SET attempts = attempts + 1, next_attempt_at = $4, last_error = left($5, 500), updated_at = $6
WHERE id = $1 AND state = $2 AND transaction_id IS NOT DISTINCT FROM $3`
	if _, err := r.DB.Exec(ctx, update, m.ID, m.State, m.TransactionID, at, cause.Error(), r.Clock.Now()); err != nil {
		return fmt.Errorf("postpone ledger message %s: %w", m.ID, err)
	}
	r.wakeAt(at)
	return nil
}

const maxBackoff = 5 * time.Minute

// backoff doubles base with each attempt up to maxBackoff, in whole seconds as the queue counts.
func backoff(base time.Duration, attempts int) time.Duration {
	d := base << min(attempts, 12)
	if d <= 0 || d > maxBackoff {
		d = maxBackoff
	}
	return max(d.Truncate(time.Second), time.Second)
}
