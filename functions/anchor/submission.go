package anchor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// leaseFor is longer than any single step: a node's and KMS's timeouts together.
const leaseFor = 30 * time.Second

// errLeaseLost reports that another run works on the submission.
var errLeaseLost = errors.New("lease lost")

// submission is a message to the public ledger that is not confirmed yet. Only the run that holds its lease changes its row.
type submission struct {
	ID            uuid.UUID
	TopicID       string
	Message       []byte
	State         ledger.SubmissionState
	TransactionID *string
	Sequence      *int64
	RunningHash   []byte
	Attempts      int
	Signed        []byte
	ExpiresAt     *time.Time

	lease    uuid.UUID
	event    uuid.UUID // its first event; messages about the submission have this id
	admitted bool      // this run is the probe of an open circuit
}

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

// lease takes the submission for this run. It returns nil if the submission is finished, not due, or leased by another run.
func (w *Worker) lease(ctx context.Context, id uuid.UUID) (*submission, error) {
	s := &submission{lease: database.NewID()}
	const take = `
UPDATE ledger_submissions s SET leased_by = $2, leased_until = $4
WHERE s.id = $1 AND s.state NOT IN ('confirmed', 'failed') AND s.next_attempt_at <= $3
  AND (s.leased_until IS NULL OR s.leased_until <= $3)
RETURNING s.id, s.topic_id, s.message, s.state, s.transaction_id, s.sequence_number, s.running_hash, s.attempts,
          (SELECT t.signed FROM ledger_transactions t WHERE t.id = s.transaction_id),
          (SELECT t.expires_at FROM ledger_transactions t WHERE t.id = s.transaction_id),
          (SELECT a.event_id FROM ledger_anchors a WHERE a.submission_id = s.id ORDER BY a.position LIMIT 1)`
	now := w.Clock.Now()
	err := w.DB.QueryRow(ctx, take, id, s.lease, now, now.Add(leaseFor)).Scan(&s.ID, &s.TopicID, &s.Message, &s.State,
		&s.TransactionID, &s.Sequence, &s.RunningHash, &s.Attempts, &s.Signed, &s.ExpiresAt, &s.event)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lease submission %s: %w", id, err)
	}
	return s, nil
}

// wakeAfterLease sends a message for when the lease ends: the run that holds it may have crashed.
func (w *Worker) wakeAfterLease(ctx context.Context, id uuid.UUID) error {
	return w.Outbox.Do(ctx, func(tx *outbox.Tx) error {
		var until *time.Time
		var event uuid.UUID
		const query = `
SELECT s.leased_until, (SELECT a.event_id FROM ledger_anchors a WHERE a.submission_id = s.id ORDER BY a.position LIMIT 1)
FROM ledger_submissions s WHERE s.id = $1 AND s.state NOT IN ('confirmed', 'failed')`
		err := tx.QueryRow(ctx, query, id).Scan(&until, &event)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && until == nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read lease of submission %s: %w", id, err)
		}
		after := max(until.Sub(w.Clock.Now()), 0) + time.Second
		return tx.SendAfter(ctx, queue.Anchor, queue.AnchorMessage{EventID: event}, after.Truncate(time.Second))
	})
}

// advance moves the submission to state, runs also in the same transaction and extends the lease. It fails with
// errLeaseLost if another run has the lease.
func (w *Worker) advance(ctx context.Context, s *submission, state ledger.SubmissionState, also func(tx *outbox.Tx) error) error {
	now := w.Clock.Now()
	err := w.Outbox.Do(ctx, func(tx *outbox.Tx) error {
		if err := ledger.LockReports(ctx, tx, s.ID); err != nil {
			return err
		}
		if err := also(tx); err != nil {
			return err
		}
		const update = `
UPDATE ledger_submissions SET state = $3, transaction_id = $4, sequence_number = $5, running_hash = $6, attempts = 0,
       last_error = NULL, updated_at = $7, leased_until = $8,
       confirmed_at = CASE WHEN $3 = 'confirmed' THEN $7::timestamptz END
WHERE id = $1 AND leased_by = $2 AND state = $9`
		tag, err := tx.Exec(ctx, update, s.ID, s.lease, state, s.TransactionID, s.Sequence, s.RunningHash, now, now.Add(leaseFor), s.State)
		if err != nil {
			return fmt.Errorf("move submission %s to %s: %w", s.ID, state, err)
		}
		if tag.RowsAffected() == 0 {
			return errLeaseLost
		}
		return ledger.ShowStatus(ctx, tx, s.ID)
	})
	if err == nil {
		s.State, s.Attempts = state, 0
	}
	return err
}

// postpone ends the lease and sends the event's message again with a growing delay.
func (w *Worker) postpone(ctx context.Context, s *submission, n *notYet) error {
	if n.failed {
		w.Metrics.Add(catalog.LedgerRetry)
		w.Log.WarnContext(ctx, "ledger step failed, will be tried again", "submission_id", s.ID, "state", s.State,
			"attempts", s.Attempts+1, "error", n.cause)
	}
	after := backoff(n.after, s.Attempts)
	return w.Outbox.Do(ctx, func(tx *outbox.Tx) error {
		ok, err := w.release(ctx, tx, s, after, n.cause.Error())
		if err != nil || !ok {
			return err
		}
		return tx.SendAfter(ctx, queue.Anchor, queue.AnchorMessage{EventID: s.event}, after)
	})
}

func (w *Worker) release(ctx context.Context, tx database.Querier, s *submission, after time.Duration, cause string) (bool, error) {
	const update = `
UPDATE ledger_submissions SET leased_by = NULL, leased_until = NULL, attempts = attempts + 1, next_attempt_at = $3,
       last_error = left($4, 500), updated_at = $5
WHERE id = $1 AND leased_by = $2`
	now := w.Clock.Now()
	// One second early, so that the submission is due when the message arrives.
	tag, err := tx.Exec(ctx, update, s.ID, s.lease, now.Add(after-time.Second), cause, now)
	if err != nil {
		return false, fmt.Errorf("postpone submission %s: %w", s.ID, err)
	}
	return tag.RowsAffected() == 1, nil
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
