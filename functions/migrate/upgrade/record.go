package upgrade

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// record is a report as its row has it, with what the first version stored beside it.
type record struct {
	ID                      uuid.UUID
	Number                  string
	IssueType, IssueTypeRaw string
	Severity, Status        string
	Title, Description      string
	Latitude, Longitude     float64 // degrees WGS 84
	CapturedAt              *time.Time
	Gone                    bool     // withdrawn by its reporter, or removed by an administrator
	Salt                    []byte   // nil without one
	AuthorErased            bool     // the account of the reporter is deleted
	Displays                [][]byte // SHA-256 of the processed pictures, oldest first
}

const selectRecords = `
SELECT r.id, r.report_number, r.issue_type, coalesce(r.issue_type_raw, ''), r.severity, r.status, r.title, r.description,
       r.latitude, r.longitude, r.captured_at, r.deleted_at IS NOT NULL,
       (SELECT salt FROM report_salts WHERE report_id = r.id AND seq = 1),
       EXISTS (SELECT FROM users u WHERE u.id = r.user_id AND u.deleted_at IS NOT NULL),
       ARRAY(SELECT u.display_sha256 FROM report_images i JOIN uploads u ON u.id = i.upload_id
             WHERE i.report_id = r.id AND i.deleted_at IS NULL AND u.display_sha256 IS NOT NULL ORDER BY i.created_at, i.id)
  FROM reports r WHERE r.id > $1 ORDER BY r.id LIMIT $2 FOR NO KEY UPDATE OF r`

// event is an event with the message that it was submitted in.
type event struct {
	Report    uuid.UUID
	Seq       int
	Type      string
	Payload   []byte
	Hash      []byte
	Prev      []byte
	Queued    bool // it has a row among those that were to be submitted
	LeafIndex *int64
	Proof     []byte
	BatchSize *int   // nil without a submission; 0: the message is the payload
	Message   []byte // of the submission
}

const selectEvents = `
SELECT e.report_id, e.seq, e.event_type, e.payload, e.payload_hash, e.prev_hash, coalesce(a.seq = e.seq, false), a.leaf_index, a.proof, s.batch_size, s.message
  FROM ledger_events e
  LEFT JOIN ledger_anchors a ON a.event_id = e.id AND a.report_id = e.report_id
  LEFT JOIN ledger_submissions s ON s.id = a.submission_id
 WHERE e.report_id = ANY($1) ORDER BY e.report_id, e.seq`

// readRecords locks the next reports after the id given, at most limit, in the order of their ids.
func readRecords(ctx context.Context, q database.Querier, after uuid.UUID, limit int) ([]record, error) {
	rows, err := q.Query(ctx, selectRecords, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[record])
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	return out, nil
}

// verdicts verifies the records. It returns the verdict of each, by the report's id. Events are read one at a time: a
// report can have any number of them.
func verdicts(ctx context.Context, q database.Querier, records []record) (map[uuid.UUID]*verdict, error) {
	out := make(map[uuid.UUID]*verdict, len(records))
	ids := make([]uuid.UUID, len(records))
	for i := range records {
		ids[i] = records[i].ID
		out[ids[i]] = &verdict{record: &records[i]}
	}
	rows, err := q.Query(ctx, selectEvents, ids)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	var e event
	_, err = pgx.ForEachRow(rows, []any{&e.Report, &e.Seq, &e.Type, &e.Payload, &e.Hash, &e.Prev, &e.Queued, &e.LeafIndex, &e.Proof, &e.BatchSize, &e.Message},
		func() error {
			out[e.Report].take(&e)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	for _, v := range out {
		v.finish()
	}
	return out, nil
}
