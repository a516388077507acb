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

// permanent marks an error that no later delivery can mend.
type permanent struct{ error }

// Unwrap gives the cause.
func (p permanent) Unwrap() error { return p.error }

// Permanent has the message of err put among the dead letters at once, instead
// of failing as often as its queue allows. Only for what is wrong with the
// message itself; whatever may heal is an ordinary error. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// Sender puts messages on queues; *Client is one.
type Sender interface {
	Knows(name Name) bool
	Send(ctx context.Context, name Name, messages []Outgoing) (sent []uuid.UUID, err error)
}

// Option changes how Each handles messages.
type Option func(*each)

// WithDeadLetters lets Permanent errors take the short way. Without it, or where
// s does not know the queue of dead letters, they fail like any other.
func WithDeadLetters(s Sender) Option { return func(e *each) { e.dead = s } }

// WithMetrics counts the messages whose delivery failed: those that will be delivered again, and those that go to the dead
// letters.
func WithMetrics(m *telemetry.Metrics) Option { return func(e *each) { e.metrics = m } }

// failed decides about a message whose handling failed, and reports whether it
// is settled: true takes it off its queue.
func (e *each) failed(ctx context.Context, m events.SQSMessage, err error) bool {
	var p permanent
	if errors.As(err, &p) && e.bury(ctx, m) {
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

func (e *each) bury(ctx context.Context, m events.SQSMessage) bool {
	if e.dead == nil || !e.dead.Knows(e.name.Dead()) {
		return false
	}
	sent, err := e.dead.Send(ctx, e.name.Dead(), []Outgoing{{ID: database.NewID(), Body: []byte(m.Body)}})
	if err != nil {
		e.log.WarnContext(ctx, "message cannot be put among the dead letters; it comes back", "queue", string(e.name), "error", err)
	}
	return len(sent) == 1
}
