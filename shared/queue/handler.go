package queue

import (
	"context"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/telemetry"
)

// Handler consumes batches of a queue. Messages named in the answer are
// delivered again, and go to the dead letters after the queue's limit.
type Handler interface {
	Handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error)
}

// HandlerFunc is one message's work. An error has the message delivered again.
type HandlerFunc func(ctx context.Context, m events.SQSMessage) error

// Each handles every message of a batch by itself, up to concurrency at once: a
// failing or panicking one never takes its neighbours along.
func Each(name Name, concurrency int, log *slog.Logger, handle HandlerFunc, opts ...Option) Handler {
	e := &each{name: name, concurrency: max(concurrency, 1), log: log, handle: handle}
	for _, opt := range opts {
		opt(e)
	}
	return e
}

type each struct {
	name        Name
	concurrency int
	log         *slog.Logger
	handle      HandlerFunc
	dead        Sender
	metrics     *telemetry.Metrics
}

// spare is what a batch leaves of the invocation's time: enough to say which messages are done, and to write down what became
// of the others; a tenth of it where it is short. A process that Lambda ends says nothing: all of them come back.
const spare = 3 * time.Second

// Handle implements Handler.
func (e *each) Handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-min(spare, time.Until(deadline)/10)))
		defer cancel()
	}
	failed := make([]bool, len(batch.Records))
	slots := make(chan struct{}, e.concurrency)
	var wg sync.WaitGroup
	for i, m := range batch.Records {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			failed[i] = !e.one(ctx, m)
		})
	}
	wg.Wait()
	out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for i, bad := range failed {
		if bad {
			out.BatchItemFailures = append(out.BatchItemFailures,
				events.SQSBatchItemFailure{ItemIdentifier: batch.Records[i].MessageId})
		}
	}
	return out, nil
}

// one is whether a message is dealt with.
func (e *each) one(ctx context.Context, m events.SQSMessage) bool {
	var err error
	panicked := true
	func() {
		defer func() {
			if cause := recover(); cause != nil {
				e.log.ErrorContext(ctx, "message panicked", "queue", string(e.name), "message_id", m.MessageId,
					"panic", cause, "stack", string(debug.Stack()))
			}
		}()
		err = e.handle(ctx, m)
		panicked = false
	}()
	switch {
	case panicked:
		return e.failed(ctx, m, nil)
	case err != nil:
		e.log.WarnContext(ctx, "message failed", "queue", string(e.name), "message_id", m.MessageId,
			"receives", m.Attributes["ApproximateReceiveCount"], "error", err)
		return e.failed(ctx, m, err)
	}
	return true
}

// Receives is how often m has been delivered, this time included; at least 1.
func Receives(m events.SQSMessage) int {
	n, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	if err != nil {
		return 1
	}
	return max(n, 1)
}
