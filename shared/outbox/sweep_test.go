package outbox_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// senderFunc is a sender that knows every queue.
type senderFunc func(ctx context.Context, messages []queue.Outgoing) ([]uuid.UUID, error)

func (f senderFunc) Knows(queue.Name) bool { return true }

func (f senderFunc) Send(ctx context.Context, _ queue.Name, messages []queue.Outgoing) ([]uuid.UUID, error) {
	return f(ctx, messages)
}

func idsOf(messages []queue.Outgoing) []uuid.UUID {
	var ids []uuid.UUID
	for _, m := range messages {
		ids = append(ids, m.ID)
	}
	return ids
}

// stored returns a database with n messages in its outbox. Message i, whose body is i, has been due for n-i minutes.
func stored(t *testing.T, n int) *database.DB {
	t.Helper()
	db := &database.DB{Pool: testdb.Pool(t)}
	const insert = `
		INSERT INTO outbox (id, queue, body, not_before)
		SELECT gen_random_uuid(), 'anchor', to_jsonb(i), now() - ($1 - i) * interval '1 minute' FROM generate_series(0, $1 - 1) i`
	if _, err := db.Exec(t.Context(), insert, n); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestSweepWaitsLongerAfterEachFailure(t *testing.T) {
	t.Parallel()
	db := stored(t, 1)
	o := outbox.New(db, senderFunc(func(context.Context, []queue.Outgoing) ([]uuid.UUID, error) {
		return nil, errors.New("queue down")
	}), slog.New(slog.DiscardHandler))
	databaseTime := func() time.Time {
		t.Helper()
		var now time.Time
		if err := db.QueryRow(t.Context(), `SELECT clock_timestamp()`).Scan(&now); err != nil {
			t.Fatal(err)
		}
		return now
	}
	for attempt, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute,
		15 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		before := databaseTime()
		if sent, _, err := o.Sweep(t.Context(), before.Add(time.Hour)); sent != 0 || err != nil {
			t.Fatalf("attempt %d: sent %d, error %v", attempt, sent, err)
		}
		var next time.Time
		var attempts int
		if err := db.QueryRow(t.Context(), `SELECT not_before, attempts FROM outbox`).Scan(&next, &attempts); err != nil {
			t.Fatal(err)
		}
		if next.Before(before.Add(want)) || next.After(databaseTime().Add(want)) || attempts != attempt+1 {
			t.Errorf("attempt %d: next in %s, want in %s; %d attempts counted", attempt, next.Sub(before), want, attempts)
		}
	}
}

func TestSweepTakesTheOldestHundred(t *testing.T) {
	t.Parallel()
	db := stored(t, 230)
	var bodies []int
	o := outbox.New(db, senderFunc(func(_ context.Context, messages []queue.Outgoing) ([]uuid.UUID, error) {
		for _, m := range messages {
			n, err := strconv.Atoi(string(m.Body))
			if err != nil {
				return nil, err
			}
			bodies = append(bodies, n)
		}
		return idsOf(messages), nil
	}), slog.New(slog.DiscardHandler))
	for sweep, want := range []struct {
		sent int
		more bool
	}{{100, true}, {100, true}, {30, false}} {
		sent, more, err := o.Sweep(t.Context(), time.Now().Add(time.Hour))
		if err != nil || sent != want.sent || more != want.more {
			t.Fatalf("sweep %d: sent %d, more %t, error %v; want %d, %t", sweep, sent, more, err, want.sent, want.more)
		}
	}
	for i, n := range bodies {
		if n != i {
			t.Fatalf("message %d was sent at position %d", n, i)
		}
	}
}

// A sweep holds its messages while it sends them. Another one sends the rest meanwhile, and none of the same.
func TestSweepsAtOnceShareTheMessages(t *testing.T) {
	t.Parallel()
	db := stored(t, 130)
	discard := slog.New(slog.DiscardHandler)
	sending, release := make(chan struct{}), make(chan struct{})
	slow := outbox.New(db, senderFunc(func(_ context.Context, messages []queue.Outgoing) ([]uuid.UUID, error) {
		select {
		case sending <- struct{}{}:
		case <-release:
		}
		<-release
		return idsOf(messages), nil
	}), discard)
	done := make(chan error, 1)
	go func() {
		sent, _, err := slow.Sweep(t.Context(), time.Now().Add(time.Hour))
		if err == nil && sent != 100 {
			err = errors.New("the first sweep sent " + strconv.Itoa(sent))
		}
		done <- err
	}()
	<-sending
	fast := outbox.New(db, senderFunc(func(_ context.Context, messages []queue.Outgoing) ([]uuid.UUID, error) {
		return idsOf(messages), nil
	}), discard)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // without SKIP LOCKED the second waits for the first
	defer cancel()
	sent, _, err := fast.Sweep(ctx, time.Now().Add(time.Hour))
	if err != nil || sent != 30 {
		t.Errorf("the second sweep sent %d (error %v), want the 30 that the first does not hold", sent, err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestSendHasThreeSeconds(t *testing.T) {
	t.Parallel()
	db := stored(t, 1)
	var deadline time.Time
	o := outbox.New(db, senderFunc(func(ctx context.Context, messages []queue.Outgoing) ([]uuid.UUID, error) {
		deadline, _ = ctx.Deadline()
		return idsOf(messages), nil
	}), slog.New(slog.DiscardHandler))
	check := func(how string, send func() error) {
		t.Helper()
		before := time.Now()
		if err := send(); err != nil {
			t.Fatal(err)
		}
		if deadline.Before(before.Add(3*time.Second)) || deadline.After(time.Now().Add(3*time.Second)) {
			t.Errorf("%s: the sender has until %s after the start, want 3s", how, deadline.Sub(before))
		}
	}
	check("sweep", func() error {
		_, _, err := o.Sweep(t.Context(), time.Now().Add(time.Hour))
		return err
	})
	check("after a commit", func() error {
		return o.Do(t.Context(), func(tx *outbox.Tx) error { return tx.Send(t.Context(), queue.Anchor, 1) })
	})
}
