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
// catalog.MaxReceives deliveries, about a day, they go to the dead letters.
type Handler interface {
	Handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error)
}

// HandlerFunc handles one message. If it returns an error, the message is delivered again: after some seconds, and later after
// each further failure (see backoff, RetryAfter and Permanent).
type HandlerFunc func(ctx context.Context, m events.SQSMessage) error

// Each returns a Handler that calls handle for each message of a batch, up to concurrency at the same time. An error or a
// panic affects only its own message, except with Alike.
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
	postponer   Postponer
	starts      *starts // nil does not note them
	parked      func(ctx context.Context, m events.SQSMessage)
	metrics     *telemetry.Metrics
	alike       bool // one call handles all messages of a batch
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
	if e.alike {
		e = e.once()
	}
	return e.answer(ctx, batch, e.handleAll(ctx, batch.Records)), nil
}

// once returns e for one batch. The first message is handled, and the others get its result.
func (e *each) once() *each {
	shared := *e
	var call sync.Once
	result := errPanic // the call that panics sets no other
	shared.handle = func(ctx context.Context, m events.SQSMessage) error {
		call.Do(func() { result = e.handle(ctx, m) })
		return result
	}
	return &shared
}

// handleAll handles messages, up to the concurrency at the same time, and decides what becomes of each.
func (e *each) handleAll(ctx context.Context, all []events.SQSMessage) []outcome {
	before, err := e.starts.unended(ctx, all)
	if err != nil {
		e.log.WarnContext(ctx, "messages that were delivered before are delivered again later", "queue", string(e.name), "error", err)
	}
	outcomes := make([]outcome, len(all))
	slots := make(chan struct{}, e.concurrency)
	var wg sync.WaitGroup
	var suspects []int
	for i, m := range all {
		switch {
		case err != nil && Receives(m) > 1:
			outcomes[i] = e.settleFailed(ctx, m, err)
		case err == nil && before[i] > 0:
			suspects = append(suspects, i)
		default:
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				outcomes[i] = e.handleOne(ctx, m, 0)
			})
		}
	}
	wg.Wait()
	// One of these may have killed the worker. So they come last, and one at a time: only that one has a start without an end.
	for _, i := range suspects {
		outcomes[i] = e.handleOne(ctx, all[i], before[i])
	}
	return outcomes
}

// outcome is what becomes of a message.
type outcome struct {
	back bool          // it is delivered again; otherwise it is done and leaves its queue
	wait time.Duration // until then
}

// answer names the messages that come back, and postpones them.
func (e *each) answer(ctx context.Context, batch events.SQSEvent, outcomes []outcome) events.SQSEventResponse {
	out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	var waits []Wait
	for i, o := range outcomes {
		if !o.back {
			continue
		}
		m := batch.Records[i]
		out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		if m.ReceiptHandle != "" {
			waits = append(waits, Wait{m.ReceiptHandle, o.wait})
		}
	}
	e.postpone(ctx, waits)
	return out
}

// handleOne handles a message, of which so many starts before have no end, and decides what becomes of it.
func (e *each) handleOne(ctx context.Context, m events.SQSMessage, before int) outcome {
	begun, err := e.start(ctx, m, before)
	var o outcome
	if err != nil {
		e.log.WarnContext(ctx, "message failed", "queue", string(e.name), "message_id", m.MessageId,
			"receives", m.Attributes["ApproximateReceiveCount"], "error", err)
		o = e.settleFailed(ctx, m, err)
	}
	if begun || !o.back {
		if fault := e.starts.end(ctx, m, o, err); fault != nil {
			e.log.WarnContext(ctx, "the end of a message is not noted", "queue", string(e.name), "message_id", m.MessageId, "error", fault)
		}
	}
	return o
}

// start handles a message, unless it kills the worker or its start cannot be noted. It reports whether the message was begun.
func (e *each) start(ctx context.Context, m events.SQSMessage, before int) (bool, error) {
	if before >= maxStarts {
		return false, Permanent(errKills)
	}
	if err := e.starts.begin(ctx, m, before); err != nil {
		return false, err
	}
	return true, e.call(ctx, m)
}

// errPanic stands for a panic; the log has its cause.
var errPanic = errors.New("the handler panicked")

// call handles a message. A panic is an error.
func (e *each) call(ctx context.Context, m events.SQSMessage) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			e.log.ErrorContext(ctx, "message panicked", "queue", string(e.name), "message_id", m.MessageId,
				"panic", cause, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	return e.handle(ctx, m)
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

// WithPostponer has the messages that failed come back after the time of backoff or RetryAfter. Without it they come back
// after the visibility timeout of the queue.
func WithPostponer(p Postponer) Option { return func(e *each) { e.postponer = p } }

// WhenParked calls f for each message that goes to the dead letters, for whatever reason. The context of f may be at its end.
func WhenParked(f func(ctx context.Context, m events.SQSMessage)) Option {
	return func(e *each) { e.parked = f }
}

// Alike is for messages that all say the same, as "there is work": the handler is called for one message of a batch, and its error is
// that of all of them, also a Permanent one.
func Alike() Option { return func(e *each) { e.alike = true } }

// WithMetrics counts the messages that failed: those that will be delivered again, and those that go to the dead letters.
func WithMetrics(m *telemetry.Metrics) Option { return func(e *each) { e.metrics = m } }

// failingReceives is the delivery from which a message counts as failing: about an hour after the first.
const failingReceives = 14

// settleFailed decides what happens to a message that failed, and counts it.
func (e *each) settleFailed(ctx context.Context, m events.SQSMessage, err error) outcome {
	var p permanent
	if errors.As(err, &p) && e.sendDead(ctx, m) {
		e.countParked(ctx, m)
		return outcome{}
	}
	n := Receives(m)
	if n >= catalog.MaxReceives {
		e.countParked(ctx, m)
	} else {
		e.metrics.Add(catalog.MessageRetried)
		if n >= failingReceives {
			e.metrics.Add(catalog.MessageFailing)
		}
	}
	return outcome{back: true, wait: waitAfter(n, err)}
}

// countParked counts a message that goes to the dead letters, and tells the worker.
func (e *each) countParked(ctx context.Context, m events.SQSMessage) {
	e.metrics.Add(catalog.MessageDead)
	if e.parked != nil {
		e.parked(ctx, m)
	}
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
