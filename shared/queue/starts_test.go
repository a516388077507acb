package queue_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/queue"
)

// killer is a worker that hangs at some messages until the end of the test, as one that is killed there, and fails or panics at
// others.
type killer struct {
	*testing.T
	db      *pgxpool.Pool
	dead    *letters
	parked  []string
	mu      sync.Mutex
	handled []string
	release chan struct{}
	fails   bool
	options []queue.Option
	blind   bool // reads of the database fail
}

// blind is a database that can be written and not read.
type blind struct{ database.Querier }

func (blind) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, errors.New("no answer")
}

func newKiller(t *testing.T) *killer {
	t.Helper()
	k := &killer{T: t, db: testdb.Pool(t), dead: &letters{known: true}, release: make(chan struct{})}
	t.Cleanup(func() { close(k.release) })
	return k
}

// handle answers "kill" not before the end of the test.
func (k *killer) handle(started chan<- struct{}) queue.HandlerFunc {
	return func(_ context.Context, m events.SQSMessage) error {
		k.mu.Lock()
		k.handled = append(k.handled, m.Body)
		k.mu.Unlock()
		switch {
		case m.Body == "kill":
			close(started)
			<-k.release
		case m.Body == "panic":
			panic("oh")
		case k.fails:
			return errors.New("busy")
		}
		return nil
	}
}

// deliver gives a batch to a new process. It returns when the batch is answered, or the process hangs. It returns the messages
// that come back.
func (k *killer) deliver(n int, bodies ...string) []string {
	k.Helper()
	started, answered := make(chan struct{}), make(chan []string, 1)
	var db database.Querier = k.db
	if k.blind {
		db = blind{k.db}
	}
	h := queue.Each(queue.Notify, 1, slog.New(slog.DiscardHandler), k.handle(started), append(k.options, queue.WithStarts(db), queue.WithDeadLetters(k.dead),
		queue.WhenParked(func(_ context.Context, m events.SQSMessage) { k.parked = append(k.parked, m.Body) }))...)
	var batch events.SQSEvent
	for _, body := range bodies {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: "id-" + body, Body: body, Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(n)}})
	}
	go func() {
		out, err := h.Handle(k.Context(), batch)
		if err != nil {
			k.Error(err)
		}
		var back []string
		for _, f := range out.BatchItemFailures {
			back = append(back, f.ItemIdentifier)
		}
		answered <- back
	}()
	select {
	case <-started:
		return nil
	case back := <-answered:
		return back
	}
}

// rows are the noted starts, by message.
func (k *killer) rows() map[string]int {
	k.Helper()
	out := map[string]int{}
	rows, err := k.db.Query(k.Context(), `SELECT message_id, starts FROM message_starts`)
	if err != nil {
		k.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			k.Fatal(err)
		}
		out[id] = n
	}
	return out
}

func TestAMessageThatKillsTheWorkerIsParkedAfterThreeStarts(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"kill", "panic"} {
		k := newKiller(t)
		for n := 1; n <= 3; n++ {
			k.deliver(n, body)
			if len(k.dead.got) > 0 {
				t.Fatalf("%s: a dead letter after %d starts", body, n)
			}
		}
		if back := k.deliver(4, body); back != nil || !slices.Equal(k.dead.got, []string{"notify-dead " + body}) || !slices.Equal(k.parked, []string{body}) {
			t.Errorf("%s: after three starts %v comes back, dead letters %v, parked %v", body, back, k.dead.got, k.parked)
		}
		if len(k.handled) != 3 || len(k.rows()) != 0 {
			t.Errorf("%s: begun %v, noted %v", body, k.handled, k.rows())
		}
	}
}

// If the dead letters cannot be reached, or the starts cannot be read, the message stays on its queue and is not begun again.
func TestAMessageThatKillsIsNotBegunWhileItCannotBeParked(t *testing.T) {
	t.Parallel()
	k := newKiller(t)
	k.dead.err = errors.New("down")
	for n := 1; n <= 3; n++ {
		k.deliver(n, "kill")
	}
	for n := 4; n <= 6; n++ {
		k.blind = n == 5
		if back := k.deliver(n, "kill"); len(back) != 1 {
			t.Fatalf("delivery %d: the message does not come back", n)
		}
	}
	k.dead.err = nil
	k.deliver(7, "kill")
	if len(k.handled) != 3 || len(k.dead.got) != 1 {
		t.Errorf("begun %d times, %d dead letters", len(k.handled), len(k.dead.got))
	}
}

// A failure is an end: an outage parks nothing, and starts before it do not count.
func TestAFailureEndsAStart(t *testing.T) {
	t.Parallel()
	k := newKiller(t)
	k.fails = true
	for n := 1; n <= 9; n++ {
		if back := k.deliver(n, "good"); len(back) != 1 {
			t.Fatalf("delivery %d: the message does not come back", n)
		}
	}
	if got := k.rows(); got["id-good"] != 0 || len(got) != 1 {
		t.Errorf("noted %v", got)
	}
	k.fails = false
	k.deliver(10, "good")
	if got := k.rows(); len(got) != 0 || len(k.dead.got) > 0 {
		t.Errorf("when it is handled: noted %v, dead letters %v", got, k.dead.got)
	}
	for n := 1; n <= 2; n++ { // a message of the same id after a redrive, killed twice, fails, and is killed twice more
		k.deliver(n, "kill")
	}
	if _, err := k.db.Exec(t.Context(), `UPDATE message_starts SET starts = 0`); err != nil { // as an end by a failure leaves it
		t.Fatal(err)
	}
	for n := 4; n <= 5; n++ {
		k.deliver(n, "kill")
	}
	if len(k.dead.got) > 0 {
		t.Error("starts before an end count")
	}
}

// A worker that is killed takes its whole batch with it. Only the message that kills may be parked for that.
func TestTheOthersOfABatchAreNotBlamed(t *testing.T) {
	t.Parallel()
	k := newKiller(t)
	k.deliver(1, "kill", "good", "fine") // none was answered: all three may be guilty
	for n := 2; n <= 6; n++ {
		k.deliver(n, "good", "kill", "fine")
	}
	if !slices.Equal(k.dead.got, []string{"notify-dead kill"}) {
		t.Errorf("dead letters %v", k.dead.got)
	}
	if !slices.Contains(k.handled, "fine") {
		t.Errorf("handled %v: what comes behind the message that kills is never reached", k.handled)
	}
}

// Messages that are alike share a call, also those that were begun before, and each one's start ends.
func TestOneCallEndsTheStartsOfMessagesThatAreAlike(t *testing.T) {
	t.Parallel()
	k := newKiller(t)
	if _, err := k.db.Exec(t.Context(), `INSERT INTO message_starts (message_id, starts) VALUES ('id-b', 1), ('id-c', 2)`); err != nil {
		t.Fatal(err)
	}
	k.options = []queue.Option{queue.Alike()}
	if back := k.deliver(3, "a", "b", "c"); len(back) > 0 || len(k.handled) != 1 || len(k.rows()) > 0 {
		t.Errorf("%d calls, back %v, noted %v", len(k.handled), back, k.rows())
	}
	k.fails = true
	if back := k.deliver(4, "a", "b"); len(back) != 2 || len(k.handled) != 2 || len(k.rows()) != 2 || k.rows()["id-a"]+k.rows()["id-b"] > 0 {
		t.Errorf("after a failure: %d calls, back %v, noted %v", len(k.handled), back, k.rows())
	}
}

// The first delivery of a message costs no statement, and one that was delivered before is not begun without its note.
func TestWithoutADatabaseOnlyNewMessagesAreBegun(t *testing.T) {
	t.Parallel()
	k := newKiller(t)
	k.db.Close() // every statement fails from now on
	if back := k.deliver(1, "good"); back != nil || len(k.handled) != 1 {
		t.Errorf("the first delivery: %v comes back, handled %v", back, k.handled)
	}
	if back := k.deliver(2, "good"); len(back) != 1 || len(k.handled) != 1 {
		t.Errorf("the second delivery: %v comes back, handled %v", back, k.handled)
	}
}

// timed notes how long a statement may take.
type timed struct {
	database.Querier
	limit time.Duration
}

func (d *timed) Exec(ctx context.Context, _ string, _ ...any) (pgconn.CommandTag, error) {
	if end, ok := ctx.Deadline(); ok {
		d.limit = time.Until(end)
	}
	return pgconn.CommandTag{}, nil
}

// A database that is slow for a while must not count as a worker that was killed. At the end of an invocation there is no time to wait.
func TestTheEndOfAMessageWaitsForASlowDatabase(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ invocation, least, most time.Duration }{
		{10 * time.Minute, 5 * time.Second, 20 * time.Second}, {20 * time.Millisecond, 0, time.Second},
	} {
		db := &timed{}
		ctx, cancel := context.WithTimeout(t.Context(), c.invocation)
		defer cancel()
		h := queue.Each(queue.Notify, 1, slog.New(slog.DiscardHandler), func(ctx context.Context, _ events.SQSMessage) error {
			if c.invocation < time.Second {
				<-ctx.Done()
			}
			return errors.New("busy")
		}, queue.WithStarts(db))
		if _, err := h.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1"}}}); err != nil {
			t.Fatal(err)
		}
		if db.limit < c.least || db.limit > c.most {
			t.Errorf("an invocation of %s waits %s for the database", c.invocation, db.limit)
		}
	}
}
