package queue_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func TestMessagesAtOnceAreBounded(t *testing.T) {
	t.Parallel()
	started, release := make(chan struct{}), make(chan struct{})
	var running atomic.Int32
	h := queue.Each(queue.Images, 2, slog.New(slog.DiscardHandler), func(context.Context, events.SQSMessage) error {
		if n := running.Add(1); n > 2 {
			t.Errorf("%d messages are handled at once, want two at most", n)
		}
		started <- struct{}{}
		<-release
		running.Add(-1)
		return nil
	})
	done := make(chan error, 1)
	go func() {
		_, err := h.Handle(t.Context(), events.SQSEvent{Records: make([]events.SQSMessage, 10)})
		done <- err
	}()
	for range 5 {
		<-started // two are there before either may go on
		<-started
		release <- struct{}{}
		release <- struct{}{}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// One call handles a batch of messages that say the same. They come back together if it fails or panics.
func TestMessagesThatAreAlikeAreOneCall(t *testing.T) {
	t.Parallel()
	batch := events.SQSEvent{Records: []events.SQSMessage{{MessageId: "a"}, {MessageId: "b"}, {MessageId: "c"}}}
	for name, c := range map[string]struct {
		handle func() error
		back   int
		dead   int
	}{
		"done":        {func() error { return nil }, 0, 0},
		"failed":      {func() error { return errors.New("no database") }, 3, 0},
		"never heals": {func() error { return queue.Permanent(errors.New("nonsense")) }, 0, 3},
		"panic":       {func() error { panic("a bug") }, 3, 0},
	} {
		var calls atomic.Int32
		dead := &letters{known: true}
		h := queue.Each(queue.Anchor, 2, slog.New(slog.DiscardHandler), func(context.Context, events.SQSMessage) error {
			calls.Add(1)
			return c.handle()
		}, queue.Alike(), queue.WithDeadLetters(dead))
		for n := range int32(2) { // each batch has a call of its own
			out, err := h.Handle(t.Context(), batch)
			if err != nil || len(out.BatchItemFailures) != c.back || calls.Load() != n+1 || len(dead.got) != c.dead*int(n+1) {
				t.Errorf("%s: after %d calls %d messages come back, %d dead letters, %v", name, calls.Load(), len(out.BatchItemFailures), len(dead.got), err)
			}
		}
	}
}

func TestReceivesIsAtLeastOne(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]int{"": 1, "x": 1, "-3": 1, "0": 1, "1": 1, "4": 4} {
		m := events.SQSMessage{Attributes: map[string]string{"ApproximateReceiveCount": given}}
		if got := queue.Receives(m); got != want {
			t.Errorf("%q: got %d, want %d", given, got, want)
		}
	}
}

// letters is a sender that keeps what it is given.
type letters struct {
	known bool
	err   error
	mu    sync.Mutex
	got   []string
}

func (l *letters) Knows(queue.Name) bool { return l.known }

func (l *letters) Send(_ context.Context, name queue.Name, messages []queue.Outgoing) ([]uuid.UUID, error) {
	if l.err != nil {
		return nil, l.err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []uuid.UUID
	for _, m := range messages {
		l.got = append(l.got, string(name)+" "+string(m.Body))
		ids = append(ids, m.ID)
	}
	return ids, nil
}

func TestWhereFailuresGo(t *testing.T) {
	t.Parallel()
	heals, never := errors.New("busy"), queue.Permanent(errors.New("nonsense"))
	cases := []struct {
		name     string
		err      error
		panics   bool
		receives string
		dead     *letters
		back     bool
		letters  int
		metric   string
	}{
		{"success", nil, false, "1", &letters{known: true}, false, 0, ""},
		{"may heal", heals, false, "1", &letters{known: true}, true, 0, "message_retried"},
		{"may heal, last time", heals, false, "120", &letters{known: true}, true, 0, "message_dead"},
		{"never heals", never, false, "1", &letters{known: true}, false, 1, "message_dead"},
		{"never heals, no such queue", never, false, "1", &letters{}, true, 0, "message_retried"},
		{"never heals, queue is down", never, false, "1", &letters{known: true, err: errors.New("down")}, true, 0, "message_retried"},
		{"panics", nil, true, "1", &letters{known: true}, true, 0, "message_retried"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			h := queue.Each(queue.Notify, 2, slog.New(slog.DiscardHandler), func(context.Context, events.SQSMessage) error {
				if c.panics {
					panic("oh")
				}
				return c.err
			}, queue.WithDeadLetters(c.dead), queue.WithMetrics(telemetry.NewMetrics(&out, "test", "notify", timestamp.NewManual(time.Unix(0, 0)))))
			res, err := h.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: "b",
				Attributes: map[string]string{"ApproximateReceiveCount": c.receives}}}})
			if err != nil {
				t.Fatal(err)
			}
			if back := len(res.BatchItemFailures) == 1; back != c.back {
				t.Errorf("came back %v, want %v", back, c.back)
			}
			if len(c.dead.got) != c.letters || c.letters == 1 && c.dead.got[0] != "notify-dead b" {
				t.Errorf("dead letters %v", c.dead.got)
			}
			if c.metric == "" && out.Len() > 0 || !strings.Contains(out.String(), c.metric) {
				t.Errorf("metrics %s, want %s", out.String(), c.metric)
			}
		})
	}
}

// Lambda ends a process that takes too long, and with it the answer about the messages that were done. What hangs is ended before.
func TestABatchIsAnsweredBeforeItsTimeIsUp(t *testing.T) {
	t.Parallel()
	end := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	h := queue.Each(queue.Notify, 1, slog.New(slog.DiscardHandler), func(ctx context.Context, _ events.SQSMessage) error {
		if got, ok := ctx.Deadline(); !ok || end.Sub(got) != 3*time.Second {
			t.Errorf("a message may take until %v before the end, want 3s", end.Sub(got))
		}
		return nil
	})
	if out, err := h.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "a"}}}); err != nil || len(out.BatchItemFailures) > 0 {
		t.Errorf("%v, %v", out, err)
	}
	if _, err := h.Handle(t.Context(), events.SQSEvent{}); err != nil { // without an end there is nothing to spare
		t.Error(err)
	}
}
