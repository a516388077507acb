package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
)

// eventPage is how many events of a report are read at once.
const eventPage = 500

// link is one event of a report's chain. The members about the ledger are nil for an event without a message.
type link struct {
	Index   int64
	Seq     int
	Type    Type
	Payload []byte
	Hash    []byte
	Prev    []byte
	// Message is the first message that covers the event, and Covered its state.
	Message *uuid.UUID
	Covered *MessageState
	// The rest is what readers are shown: the message of an earlier version that had the event, or else Message.
	State       *MessageState
	TopicID     *string
	Transaction *string
	Sequence    *int64
	Consensus   *int64 // nanoseconds since 1970
}

const selectLinks = `
SELECT e.log_index, e.seq, e.event_type, e.payload, e.payload_hash, e.prev_hash, m.id, m.state, coalesce(s.state, m.state),
       coalesce(s.topic_id, m.topic_id), coalesce(s.transaction_id, m.transaction_id),
       coalesce(s.sequence_number, m.sequence_number), coalesce(s.consensus_nanos, m.consensus_nanos)
FROM ledger_events e
LEFT JOIN LATERAL (SELECT * FROM log_messages WHERE size > e.log_index AND state <> 'failed' ORDER BY size LIMIT 1) m ON true
LEFT JOIN ledger_anchors a ON a.event_id = e.id
LEFT JOIN ledger_submissions s ON s.id = a.submission_id AND s.sequence_number IS NOT NULL
WHERE e.report_id = $1 AND e.seq > $2 AND e.seq <= $3 ORDER BY e.seq LIMIT $4`

// records is a report, and the rows that its events vouch for besides it.
type records struct {
	*snapshot
	recordRest
	salts    map[int][]byte // by the event that each is for
	prior    PriorRows
	moves    []moveRow
	comments []commentRow
	blank    report.Blank
	head     logHead
	newest   int // seq of the newest event; 0 without one
	// withheld says that the caller may not read entries from before the public log.
	withheld bool
}

// recordRest are columns of the report that no payload has as its state.
type recordRest struct {
	DeletedAt, VerifiedAt, ResolvedAt *time.Time
	RemovedAt                         *time.Time
	RemovedBy                         report.RemovedBy // "" without one
	AssignedTo                        *uuid.UUID
	RejectionReason, ReasonCode       string // "" without one
	AIStatus                          string
	CommentsCount                     int
	Shown                             report.LedgerStatus // how far its events are on the ledger
}

const selectRest = `
SELECT deleted_at, verified_at, resolved_at, removed_at, coalesce(removed_by, ''), assigned_user_id, coalesce(rejection_reason, ''), coalesce(reason_code, ''), ai_status, comments_count, blockchain_status
FROM reports WHERE id = $1`

// moveRow is a row of the status history that has an event. Seq is nil only in PriorRows.
type moveRow struct {
	Seq    int
	Old    *string
	New    string
	Kind   string
	Agency *string // code
	Note   *string
	At     time.Time
}

// commentRow is a comment that has an event.
type commentRow struct {
	Seq      int
	ID       uuid.UUID
	Author   *uuid.UUID // a person or an API key; nil once erased
	Content  string
	Official bool
	At       time.Time
	Removed  bool
	Gone     bool // its author has no account
}

// logHead is how far the log is published, and who signs it.
type logHead struct {
	Origin string
	Size   int64
	VKeys  []string // of all log keys
}

const (
	selectMoves = `
SELECT h.seq, h.old_status, h.new_status, h.actor_kind, a.code, h.note, h.created_at
FROM report_status_history h LEFT JOIN agencies a ON a.id = h.agency_id
WHERE h.seq IS NOT NULL AND h.report_id = $1 ORDER BY h.seq`
	selectComments = `
SELECT seq, id, coalesce(author_id, api_key_id), content, is_official, created_at, deleted_at IS NOT NULL, ` + noAccount + `
FROM report_comments WHERE seq IS NOT NULL AND report_id = $1 ORDER BY seq`
	noAccount  = `api_key_id IS NULL AND NOT EXISTS (SELECT FROM users WHERE id = author_id AND deleted_at IS NULL)`
	selectHead = `
SELECT coalesce(origin, ''), size, ARRAY(SELECT vkey FROM log_keys WHERE role = 'log' ORDER BY from_index) FROM log_head`
	selectNewest = `SELECT coalesce(max(seq), 0) FROM ledger_events WHERE report_id = $1`
)

// Gate adds a condition to a pipeline, such as that the caller may see the report. The pipeline fails if it does not hold. The
// result is whether the caller may also read entries from before the public log: see reportread.Viewer.MayReadRecord.
type Gate func(p database.Pipeline) *database.Ask[bool]

// asked is what every reader of a report's events asks for.
type asked struct {
	number *database.Ask[string]
	newest *database.Ask[int]
	links  *database.Ask[[]link]
	shown  []*database.Ask[bool]
}

// askEvents asks for the first page of a report's events. The pipeline fails with ErrNoReport if there is no such report.
func askEvents(p database.Pipeline, id uuid.UUID, gates []Gate) asked {
	a := asked{}
	for _, gate := range gates {
		a.shown = append(a.shown, gate(p))
	}
	a.number = database.AskRow(p, pgx.RowTo[string], `SELECT report_number FROM reports WHERE id = $1`, id).Missing(ErrNoReport)
	a.newest = database.AskRow(p, pgx.RowTo[int], selectNewest, id)
	a.links = database.AskRows(p, pgx.RowToStructByPos[link], selectLinks, id, 0, maxSeq, eventPage)
	return a
}

// maxSeq is above every seq.
const maxSeq = 1<<31 - 1

// withheld reports whether a gate keeps the caller from reading entries from before the public log.
func (a asked) withheld() bool {
	for _, s := range a.shown {
		if !s.Get() {
			return true
		}
	}
	return false
}

// each calls f for every event up to the newest, in order. It reads them in pages. What is added meanwhile is left out, so
// that the events fit the report as it was read.
func (a asked) each(ctx context.Context, q database.Querier, id uuid.UUID, f func(*link)) error {
	page, last := a.links.Get(), 0
	for {
		for i := range page {
			f(&page[i])
			last = page[i].Seq
		}
		if len(page) < eventPage {
			return nil
		}
		rows, err := q.Query(ctx, selectLinks, id, last, a.newest.Get(), eventPage)
		if err != nil {
			return fmt.Errorf("read events of report %s: %w", id, err)
		}
		if page, err = pgx.CollectRows(rows, pgx.RowToStructByPos[link]); err != nil {
			return fmt.Errorf("read events of report %s: %w", id, err)
		}
	}
}

// readRecords reads a report and the first page of its events, all of one moment. It fails with ErrNoReport if there is no
// such report.
func readRecords(ctx context.Context, q database.Querier, id uuid.UUID, gates ...Gate) (*records, asked, error) {
	batch, about := &database.Batch{}, report.AboutID(id)
	events := askEvents(batch, id, gates)
	state := database.AskRow(batch, scanSnapshot, selectSnapshot, about.Args()...).Missing(ErrNoReport)
	rest := database.AskRow(batch, pgx.RowToStructByPos[recordRest], selectRest, id)
	type salt struct {
		Seq  int
		Salt []byte
	}
	salts := database.AskRows(batch, pgx.RowToStructByPos[salt], `SELECT seq, salt FROM report_salts WHERE report_id = $1`, id)
	prior := AskPriorRows(batch, about)
	moves := database.AskRows(batch, pgx.RowToStructByPos[moveRow], selectMoves, id)
	blank := database.AskRow(batch, pgx.RowToStructByPos[report.Blank], report.SelectBlank, id)
	comments := database.AskRows(batch, pgx.RowToStructByPos[commentRow], selectComments, id)
	head := database.AskRow(batch, pgx.RowToStructByPos[logHead], selectHead)
	if err := batch.SendSnapshot(ctx, q); err != nil {
		return nil, events, fmt.Errorf("read records of report %s: %w", id, err)
	}
	out := &records{snapshot: state.Get(), recordRest: rest.Get(), salts: map[int][]byte{},
		prior: prior.Get(), moves: moves.Get(), comments: comments.Get(), blank: blank.Get(), head: head.Get(), newest: events.newest.Get(), withheld: events.withheld()}
	for _, s := range salts.Get() {
		out.salts[s.Seq] = s.Salt
	}
	return out, events, nil
}
