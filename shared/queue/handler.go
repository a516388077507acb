package queue

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

// Handler handles batches of messages. The messages that its response names are delivered again; after
// catalog.MaxReceives deliveries they go to the dead letters.
type Handler interface {
	Handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error)
}

// HandlerFunc handles one message. If it returns an error, the message is delivered again.
type HandlerFunc func(ctx context.Context, m events.SQSMessage) error

// Each returns a Handler that calls handle for each message of a batch, up to concurrency at the same time. An error or a
// panic affects only its own message.
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

// answerTime is kept free at the end of an invocation, or a tenth of the invocation when that is less: to record what
// happened to the messages and to answer. Without an answer Lambda delivers the whole batch again.
const answerTime = 3 * time.Second

// Handle implements Handler.
func (e *each) Handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-min(answerTime, time.Until(deadline)/10)))
		defer cancel()
	}
	failed := make([]bool, len(batch.Records))
	slots := make(chan struct{}, e.concurrency)
	var wg sync.WaitGroup
	for i, m := range batch.Records {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			failed[i] = !e.handleOne(ctx, m)
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

// handleOne reports whether the message is done and leaves its queue.
func (e *each) handleOne(ctx context.Context, m events.SQSMessage) bool {
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
		return e.settleFailed(ctx, m, nil)
	case err != nil:
		e.log.WarnContext(ctx, "message failed", "queue", string(e.name), "message_id", m.MessageId,
			"receives", m.Attributes["ApproximateReceiveCount"], "error", err)
		return e.settleFailed(ctx, m, err)
	}
	return true
}

// Receives returns how often m has been delivered, this time included; at least 1.
func Receives(m events.SQSMessage) int {
	n, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	if err != nil {
		return 1
	}
	return max(n, 1)
}

// permanent marks an error that would come again with each delivery.
type permanent struct{ error }

// Unwrap gives the cause.
func (p permanent) Unwrap() error { return p.error }

// Permanent marks err as a fault of the message itself: the message goes to the dead letters at once, without further
// deliveries. A fault that may go away is an ordinary error. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// Sender puts messages on queues; *Client is one.
type Sender interface {
	// Knows reports whether this process may send to the queue.
	Knows(name Name) bool
	// Send sends at most MaxBatch messages. It returns the ids of those that were sent, also beside an error.
	Send(ctx context.Context, name Name, messages []Outgoing) (sent []uuid.UUID, err error)
}

// Option changes how Each handles messages.
type Option func(*each)

// WithDeadLetters sends the messages of Permanent errors to the dead letters through s. Without it, or if s does not know
// the queue of dead letters, a Permanent error is an ordinary one.
func WithDeadLetters(s Sender) Option { return func(e *each) { e.dead = s } }

// WithMetrics counts the messages that failed: those that will be delivered again, and those that go to the dead letters.
func WithMetrics(m *telemetry.Metrics) Option { return func(e *each) { e.metrics = m } }

// settleFailed decides what happens to a message that failed, and counts it. It reports whether the message leaves its
// queue now.
func (e *each) settleFailed(ctx context.Context, m events.SQSMessage, err error) bool {
	var p permanent
	if errors.As(err, &p) && e.sendDead(ctx, m) {
		e.metrics.Add(catalog.MessageDead)
		return true
	}
	if Receives(m) >= catalog.MaxReceives {
		e.metrics.Add(catalog.MessageDead)
	} else {
		e.metrics.Add(catalog.MessageRetried)
	}
	return false
}

// sendDead sends m to the dead letters and reports whether it did.
func (e *each) sendDead(ctx context.Context, m events.SQSMessage) bool {
	if e.dead == nil || !e.dead.Knows(e.name.Dead()) {
		return false
	}
	sent, err := e.dead.Send(ctx, e.name.Dead(), []Outgoing{{ID: database.NewID(), Body: []byte(m.Body)}})
	if err != nil {
		e.log.WarnContext(ctx, "message not sent to the dead letters; it will be delivered again", "queue", string(e.name), "error", err)
	}
	return len(sent) == 1
}
