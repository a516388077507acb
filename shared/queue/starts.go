package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// maxStarts is how many starts of a message in a row may have no end. Then the message is not handled any more: it kills the
// worker, and with it the work on all messages of its batch.
const maxStarts = 3

// errKills is the fault of a message of which maxStarts starts have no end.
var errKills = fmt.Errorf("the worker was killed at this message %d times, or panicked", maxStarts)

// starts notes in the table message_starts which messages a worker has begun and not ended. The first delivery of a message
// costs no statement unless it fails; a later one costs one statement at its start and one at its end, and its batch one.
type starts struct{ db database.Querier }

// WithStarts notes the starts of messages in the database. A message of which three starts in a row have no end goes to the dead
// letters. Without it such a message is delivered catalog.MaxReceives times.
func WithStarts(db database.Querier) Option { return func(e *each) { e.starts = &starts{db} } }

// unended returns, for each message, how many of its last starts have no end. A message that was delivered before and has no
// row was begun once: each end by a failure writes a row.
func (s *starts) unended(ctx context.Context, all []events.SQSMessage) ([]int, error) {
	out := make([]int, len(all))
	if s == nil {
		return out, nil
	}
	var again []string
	for _, m := range all {
		if Receives(m) > 1 {
			again = append(again, m.MessageId)
		}
	}
	if again == nil {
		return out, nil
	}
	rows, err := s.db.Query(ctx, `SELECT message_id, starts FROM message_starts WHERE message_id = ANY($1)`, again)
	if err != nil {
		return nil, fmt.Errorf("read starts of messages: %w", err)
	}
	noted := make(map[string]int)
	var id string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error { noted[id] = n; return nil }); err != nil {
		return nil, fmt.Errorf("read starts of messages: %w", err)
	}
	for i, m := range all {
		if n, ok := noted[m.MessageId]; ok {
			out[i] = n
		} else if Receives(m) > 1 {
			out[i] = 1
		}
	}
	return out, nil
}

const noteStarts = `INSERT INTO message_starts (message_id, starts) VALUES ($1, $2) ON CONFLICT (message_id) DO UPDATE SET starts = excluded.starts`

// begin notes the start of a message, of which so many starts before have no end.
func (s *starts) begin(ctx context.Context, m events.SQSMessage, before int) error {
	if s == nil || Receives(m) == 1 {
		return nil
	}
	if _, err := s.db.Exec(ctx, noteStarts, m.MessageId, before+1); err != nil {
		return fmt.Errorf("note start of message: %w", err)
	}
	return nil
}

// How long an end waits for the database: noteTime at the end of an invocation, as a part of answerTime, and slowNoteTime before.
// An end that is not noted counts as if the worker was killed.
const (
	noteTime     = time.Second
	slowNoteTime = 10 * time.Second
)

// end notes how a message ended: by a failure, or so that it leaves its queue. A panic is no end.
func (s *starts) end(ctx context.Context, m events.SQSMessage, o outcome, failure error) error {
	if s == nil || o.back && errors.Is(failure, errPanic) || !o.back && Receives(m) == 1 {
		return nil
	}
	limit := slowNoteTime
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, max(noteTime, time.Until(deadline)))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	var err error
	if o.back {
		_, err = s.db.Exec(ctx, noteStarts, m.MessageId, 0)
	} else {
		_, err = s.db.Exec(ctx, `DELETE FROM message_starts WHERE message_id = $1`, m.MessageId)
	}
	if err != nil {
		return fmt.Errorf("note end of message: %w", err)
	}
	return nil
}
