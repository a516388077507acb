package outbox_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// wire is a sender that can be cut.
type wire struct {
	mu    sync.Mutex
	sent  map[queue.Name][]string
	fault error
	known []queue.Name
}

func (w *wire) Knows(n queue.Name) bool { return slices.Contains(w.known, n) }

func (w *wire) Send(_ context.Context, n queue.Name, ms []queue.Outgoing) ([]uuid.UUID, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault != nil {
		return nil, w.fault
	}
	if len(ms) > 10 {
		return nil, errors.New("SQS takes ten messages in one call")
	}
	var ids []uuid.UUID
	for _, m := range ms {
		w.sent[n] = append(w.sent[n], string(m.Body))
		ids = append(ids, m.ID)
	}
	return ids, nil
}

func setup(t *testing.T) (*outbox.Outbox, *wire, func() int) {
	db := &database.DB{Pool: testdb.Pool(t)}
	w := &wire{sent: make(map[queue.Name][]string), known: []queue.Name{queue.Anchor, queue.Notify}}
	waiting := func() int {
		var n int
		if err := db.QueryRow(t.Context(), `SELECT count(*) FROM outbox`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	return outbox.New(db, w, slog.New(slog.DiscardHandler)), w, waiting
}

func TestMessagesGoOutAfterTheCommit(t *testing.T) {
	t.Parallel()
	o, w, waiting := setup(t)
	err := o.Do(t.Context(), func(tx *outbox.Tx) error {
		for range 23 {
			if err := tx.Send(t.Context(), queue.Anchor, 1); err != nil {
				return err
			}
		}
		if len(w.sent) != 0 {
			t.Error("sent before the commit")
		}
		return tx.Send(t.Context(), queue.Notify, "x")
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.sent[queue.Anchor]) != 23 || len(w.sent[queue.Notify]) != 1 || waiting() != 0 {
		t.Errorf("sent %d and %d, %d wait", len(w.sent[queue.Anchor]), len(w.sent[queue.Notify]), waiting())
	}
}

func TestARolledBackChangeSendsNothing(t *testing.T) {
	t.Parallel()
	o, w, waiting := setup(t)
	no := errors.New("no")
	err := o.Do(t.Context(), func(tx *outbox.Tx) error {
		if err := tx.Send(t.Context(), queue.Anchor, 1); err != nil {
			return err
		}
		return no
	})
	if !errors.Is(err, no) || len(w.sent) != 0 || waiting() != 0 {
		t.Errorf("err %v, sent %v, %d wait", err, w.sent, waiting())
	}
}

func TestWhatCannotBeSentWaits(t *testing.T) {
	t.Parallel()
	o, w, waiting := setup(t)
	w.fault = errors.New("queue down")
	send := func(n queue.Name) {
		if err := o.Do(t.Context(), func(tx *outbox.Tx) error { return tx.Send(t.Context(), n, 1) }); err != nil {
			t.Fatalf("a queue that is down must not fail the change: %v", err)
		}
	}
	send(queue.Anchor)
	w.fault = nil
	send(queue.Geocode) // not this process's to send
	if waiting() != 2 {
		t.Errorf("%d wait for relay, want 2", waiting())
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	o, _, _ := setup(t)
	mark := func() bool {
		var first bool
		err := o.Do(t.Context(), func(tx *outbox.Tx) error {
			var err error
			first, err = tx.Once(t.Context(), "validate", "report-1")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return first
	}
	if !mark() || mark() {
		t.Error("the first mark is true, the second false")
	}
}

// A statement may add any number of messages. The client waits for the first hundred; relay sends the rest.
func TestASetOfMessagesIsStoredAndItsFirstAreSent(t *testing.T) {
	t.Parallel()
	o, w, waiting := setup(t)
	add := func(n int) {
		err := o.Do(t.Context(), func(tx *outbox.Tx) error {
			tx.SendSet(queue.Notify, `INSERT INTO processed_messages (consumer, message_key) SELECT 'test', n::text FROM generate_series(1, $1) n
				ON CONFLICT DO NOTHING RETURNING jsonb_build_object('code', message_key)`, n)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	add(3)
	if len(w.sent[queue.Notify]) != 3 || waiting() != 0 || w.sent[queue.Notify][0] != `{"code": "1"}` {
		t.Errorf("sent %v, %d wait, want 3 and 0", w.sent[queue.Notify], waiting())
	}
	add(250) // three are there already
	if len(w.sent[queue.Notify]) != 103 || waiting() != 147 {
		t.Errorf("sent %d, %d wait, want 103 and 147", len(w.sent[queue.Notify]), waiting())
	}
}
