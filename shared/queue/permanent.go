package queue

import (
	"context"
	"errors"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

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
