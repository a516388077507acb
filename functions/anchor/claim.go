package anchor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// claimLock serializes claims across all workers, for the length of one short
// transaction; the number has no meaning.
const claimLock = 7461928301

// waiting is an event without a submission.
type waiting struct {
	EventID  uuid.UUID
	ReportID uuid.UUID
	Seq      int
	Payload  []byte
}

// claim returns the id of the event's submission. It creates one if the event waits and may be sent now. It returns uuid.Nil
// if there is nothing to do for this message.
//
// The number of waiting events decides whether an event is sent alone or under a Merkle root. The event's row in
// ledger_anchors names its only submission.
func (w *Worker) claim(ctx context.Context, event uuid.UUID) (uuid.UUID, error) {
	// Most messages are about events that have a submission already: then no lock is needed.
	_, id, err := anchorOf(ctx, w.DB, event)
	if err != nil || id != uuid.Nil {
		return id, err
	}
	err = w.Outbox.Do(ctx, func(tx *outbox.Tx) error {
		id = uuid.Nil
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(claimLock)); err != nil {
			return fmt.Errorf("lock claims: %w", err)
		}
		report, existing, err := anchorOf(ctx, tx, event)
		if err != nil || existing != uuid.Nil {
			id = existing
			return err
		}
		if open, err := circuitOpen(ctx, tx, w.Clock.Now()); err != nil || open {
			return err
		}
		next, topic, err := nextOf(ctx, tx, report)
		if err != nil || next == nil {
			return err // the event before it is not at consensus yet; reach sends another message then
		}
		id, err = w.claimFrom(ctx, tx, next, topic)
		return err
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("claim event %s: %w", event, err)
	}
	return id, nil
}

// anchorOf returns the event's report and its submission, uuid.Nil if it has none.
func anchorOf(ctx context.Context, q database.Querier, event uuid.UUID) (uuid.UUID, uuid.UUID, error) {
	var report uuid.UUID
	var submission uuid.NullUUID
	const query = `SELECT report_id, submission_id FROM ledger_anchors WHERE event_id = $1`
	err := q.QueryRow(ctx, query, event).Scan(&report, &submission)
	if errors.Is(err, pgx.ErrNoRows) {
		return report, uuid.Nil, fmt.Errorf("no event %s", event)
	}
	if err != nil {
		return report, uuid.Nil, fmt.Errorf("read anchor: %w", err)
	}
	return report, submission.UUID, nil
}

// nextOf returns the first waiting event of the report; nil if there is none or an event before it is not at consensus yet.
func nextOf(ctx context.Context, tx database.Querier, report uuid.UUID) (*waiting, ledger.Topic, error) {
	const query = `
SELECT e.id, e.report_id, e.seq, e.payload, a.topic
FROM ledger_anchors a JOIN ledger_events e ON e.id = a.event_id
WHERE a.report_id = $1 AND a.submission_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM ledger_anchors p JOIN ledger_submissions s ON s.id = p.submission_id
                  WHERE p.report_id = $1 AND p.seq < a.seq AND s.sequence_number IS NULL)
ORDER BY a.seq LIMIT 1`
	var n waiting
	var topic ledger.Topic
	err := tx.QueryRow(ctx, query, report).Scan(&n.EventID, &n.ReportID, &n.Seq, &n.Payload, &topic)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("find next event: %w", err)
	}
	return &n, topic, nil
}

// mayGoOut is the condition for an anchor a of topic $1 that may be sent: each event before it in its report is at
// consensus, or waits on the same topic and so is in the same batch.
const mayGoOut = `a.topic = $1 AND a.submission_id IS NULL
  AND NOT EXISTS (SELECT FROM ledger_anchors p LEFT JOIN ledger_submissions s ON s.id = p.submission_id
                  WHERE p.report_id = a.report_id AND p.seq < a.seq AND s.sequence_number IS NULL
                    AND NOT (p.submission_id IS NULL AND p.topic = $1))`

// eligible returns up to limit events of a topic that may be sent now, in the order they were written.
func eligible(ctx context.Context, tx database.Querier, topic ledger.Topic, limit int) ([]waiting, error) {
	const query = `
SELECT e.id, e.report_id, e.seq, e.payload
FROM ledger_anchors a JOIN ledger_events e ON e.id = a.event_id
WHERE ` + mayGoOut + ` ORDER BY a.position LIMIT $2`
	rows, err := tx.Query(ctx, query, topic, limit)
	if err != nil {
		return nil, fmt.Errorf("find waiting events: %w", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[waiting])
	if err != nil {
		return nil, fmt.Errorf("find waiting events: %w", err)
	}
	return out, nil
}

// claimFrom creates a submission of next alone, or of all waiting events if they are more than the threshold.
func (w *Worker) claimFrom(ctx context.Context, tx *outbox.Tx, next *waiting, topic ledger.Topic) (uuid.UUID, error) {
	var many bool
	const beyond = `SELECT EXISTS (SELECT FROM ledger_anchors a WHERE ` + mayGoOut + ` OFFSET $2)`
	if err := tx.QueryRow(ctx, beyond, topic, w.config.BatchThreshold).Scan(&many); err != nil {
		return uuid.Nil, fmt.Errorf("count waiting events: %w", err)
	}
	if !many {
		return w.create(ctx, tx, topic, []waiting{*next}, next.Payload, nil)
	}
	members, err := eligible(ctx, tx, topic, w.config.MaxBatch)
	if err != nil {
		return uuid.Nil, err
	}
	payloads := make([][]byte, len(members))
	for i := range members {
		payloads[i] = members[i].Payload
	}
	batch, err := ledger.NewBatch(payloads, w.Clock.Now())
	if err != nil {
		return uuid.Nil, err
	}
	if len(members) == w.config.MaxBatch {
		// A full batch may leave events waiting; next may be one of them.
		if err := tx.Send(ctx, queue.Anchor, queue.AnchorMessage{EventID: next.EventID}); err != nil {
			return uuid.Nil, err
		}
	}
	return w.create(ctx, tx, topic, members, batch.Message, batch.Proofs)
}

// create stores a submission of members; proofs is nil for a single event.
func (w *Worker) create(ctx context.Context, tx database.Querier, topic ledger.Topic, members []waiting, message []byte, proofs [][]byte) (uuid.UUID, error) {
	id, now := database.NewID(), w.Clock.Now()
	const insert = `
INSERT INTO ledger_submissions (id, topic, topic_id, batch_size, message, next_attempt_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6, $6)`
	if _, err := tx.Exec(ctx, insert, id, topic, w.config.Ledger.TopicID(topic), len(proofs), message, now); err != nil {
		return uuid.Nil, fmt.Errorf("store submission: %w", err)
	}
	events, leaves := make([]uuid.UUID, len(members)), make([]*int32, len(members))
	for i := range members {
		events[i] = members[i].EventID
		if proofs != nil {
			leaf := int32(i)
			leaves[i] = &leaf
		}
	}
	if proofs == nil {
		proofs = make([][]byte, len(members))
	}
	const assign = `
UPDATE ledger_anchors a SET submission_id = $1, leaf_index = m.leaf, proof = m.proof
FROM unnest($2::uuid[], $3::integer[], $4::bytea[]) AS m (event_id, leaf, proof)
WHERE a.event_id = m.event_id AND a.submission_id IS NULL`
	tag, err := tx.Exec(ctx, assign, id, events, leaves, proofs)
	if err != nil {
		return uuid.Nil, fmt.Errorf("assign events: %w", err)
	}
	if tag.RowsAffected() != int64(len(members)) {
		return uuid.Nil, errors.New("assign events: some were assigned already")
	}
	if err := ledger.LockReports(ctx, tx, id); err != nil {
		return uuid.Nil, err
	}
	return id, ledger.ShowStatus(ctx, tx, id)
}

// circuitOpen reports that nothing may be signed or sent now.
func circuitOpen(ctx context.Context, tx database.Querier, now time.Time) (bool, error) {
	var probe *time.Time
	if err := tx.QueryRow(ctx, `SELECT probe_at FROM ledger_circuit`).Scan(&probe); err != nil {
		return false, fmt.Errorf("read circuit: %w", err)
	}
	return probe != nil && now.Before(*probe), nil
}
