package queue_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/queue"
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

func TestReceivesIsAtLeastOne(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]int{"": 1, "x": 1, "-3": 1, "0": 1, "1": 1, "4": 4} {
		m := events.SQSMessage{Attributes: map[string]string{"ApproximateReceiveCount": given}}
		if got := queue.Receives(m); got != want {
			t.Errorf("%q: got %d, want %d", given, got, want)
		}
	}
}
