package ledger

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
)

// maxEvents is the most events of a report that are read.
const maxEvents = 500

// link is one event of a report's chain, with its submission and transaction if it has them.
type link struct {
	ID           uuid.UUID
	ReportID     uuid.UUID
	Position     int64
	Seq          int
	Type         Type
	Topic        Topic
	Payload      []byte
	Hash         []byte
	Prev         []byte
	AnchoredSeq  *int // nil without an anchor row, which Append always writes
	LeafIndex    *int64
	Proof        []byte
	SubmissionID *uuid.UUID
	State        *SubmissionState
	TopicID      *string
	Transaction  *string
	Sequence     *int64
	Consensus    *int64
	BatchSize    *int
	Message      []byte
	Running      []byte
	Signed       []byte
}

const selectLinks = `
SELECT e.id, e.report_id, e.position, e.seq, e.event_type, e.topic, e.payload, e.payload_hash, e.prev_hash,
       a.seq, a.leaf_index, a.proof, a.submission_id,
       s.state, s.topic_id, s.transaction_id, s.sequence_number, s.consensus_nanos, s.batch_size, s.message, s.running_hash,
       t.signed
FROM ledger_events e
LEFT JOIN ledger_anchors a ON a.event_id = e.id AND a.report_id = e.report_id
LEFT JOIN ledger_submissions s ON s.id = a.submission_id
LEFT JOIN ledger_transactions t ON t.id = s.transaction_id AND t.submission_id = s.id`

// records is a report and its events.
type records struct {
	*snapshot
	salt  []byte // nil after ForgetPerson
	links []link
	// withheld says that the caller may not read what the events say of the report.
	withheld bool
}

// Gate adds a condition to a pipeline, such as that the caller may see the report. The pipeline fails if it does not hold. The
// result is whether the caller may also read what the events say of the report.
type Gate func(p database.Pipeline) *database.Ask[bool]

// readRecords reads a report and its events in one round trip. It fails with ErrNoReport if there is no such report.
func readRecords(ctx context.Context, q database.Querier, id uuid.UUID, gates ...Gate) (*records, error) {
	batch := &database.Batch{}
	var shown []*database.Ask[bool]
	for _, gate := range gates {
		shown = append(shown, gate(batch))
	}
	state := database.AskRow(batch, scanSnapshot, selectSnapshot, report.AboutID(id).Args()...).Missing(ErrNoReport)
	salt := database.AskOptional(batch, pgx.RowTo[[]byte], selectSalt, id)
	links := database.AskRows(batch, pgx.RowToStructByPos[link], selectLinks+` WHERE e.report_id = $1 ORDER BY e.seq LIMIT $2`, id, maxEvents)
	if err := batch.Send(ctx, q); err != nil {
		return nil, fmt.Errorf("read records of report %s: %w", id, err)
	}
	out := &records{snapshot: state.Get(), links: links.Get()}
	for _, s := range shown {
		out.withheld = out.withheld || !s.Get()
	}
	if salt.Get() != nil {
		out.salt = *salt.Get()
	}
	return out, nil
}
