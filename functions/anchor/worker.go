// Package anchor writes ledger events to the Hedera Consensus Service. Each event is
// in exactly one message, alone or, if many events wait, with others under one Merkle
// root. AWS KMS signs the messages, and the mirror node must confirm them.
//
// # Life of a submission
//
// A message on the queue only wakes the worker; the database says what is to be
// done. Each step is one short transaction or one call with a timeout, never both at
// once. A step can be interrupted at any point, and a later run repeats it:
//
//	claimed    events and message are chosen            → sign with KMS, store id and bytes
//	prepared   a signed transaction is stored           → send it; each attempt sends the same bytes
//	submitted  a node accepted it, now or before        → ask for the receipt
//	reached    sequence number and running hash known   → compare with the mirror node
//	confirmed  the mirror shows our bytes from our account
//
// A second transaction for a submission is made only after proof that the first had no
// effect: the network refused it at consensus, or it expired and a mirror node that is
// past its expiry does not have it. So there are never two messages.
//
// A failure that may go away is tried again for ever, with growing delays, by a delayed
// message that is written together with the state. A failure that only an operator can
// fix opens the circuit.
package anchor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// MirrorNode is the part of ledger.Mirror that the worker uses.
type MirrorNode interface {
	Message(ctx context.Context, topicID string, sequence uint64) (*ledger.TopicMessage, error)
	MessageAt(ctx context.Context, consensusNanos int64) (*ledger.TopicMessage, error)
	Transaction(ctx context.Context, id string) (*ledger.MirrorTransaction, error)
	Horizon(ctx context.Context) (time.Time, error)
}

// Deps are what a Worker works with.
type Deps struct {
	DB      *database.DB
	Outbox  *outbox.Outbox
	Network *Network
	Mirror  MirrorNode
	Signer  *Signer
	Clock   timestamp.Clock
	Log     *slog.Logger
	Metrics *telemetry.Metrics
}

// Worker is the consumer of the queue "anchor". It is safe for concurrent use,
// in one process and in many.
type Worker struct {
	Deps
	config Config
	payer  int64
}

// NewWorker returns a worker. It fails if c is not valid.
func NewWorker(d Deps, c Config) (*Worker, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("anchor: %w", err)
	}
	payer, err := parseEntity(c.Ledger.Accounts[0])
	if err != nil {
		return nil, fmt.Errorf("anchor: %w", err)
	}
	return &Worker{Deps: d, config: c, payer: payer}, nil
}

// Message handles a message of the queue: see Work.
func (w *Worker) Message(ctx context.Context, m events.SQSMessage) error {
	var body queue.AnchorMessage
	if err := json.Unmarshal([]byte(m.Body), &body); err != nil || body.EventID == uuid.Nil {
		return queue.Permanent(errors.New("message names no event"))
	}
	return w.Work(ctx, body.EventID, queue.Receives(m) > 1)
}

// Work takes all steps of the event's submission that are possible now. It returns an error of the database, or if there is
// no such event. Every other failure is recorded, and a later message tries again.
//
// redelivered says that the message was delivered before: the run that holds the lease may have crashed.
func (w *Worker) Work(ctx context.Context, event uuid.UUID, redelivered bool) error {
	submission, err := w.claim(ctx, event)
	if err != nil || submission == uuid.Nil {
		return err
	}
	s, err := w.lease(ctx, submission)
	if err != nil {
		return err
	}
	if s == nil {
		if redelivered {
			return w.wakeAfterLease(ctx, submission)
		}
		return nil
	}
	return w.drive(ctx, s)
}

// drive takes steps until the submission is finished or a step has to wait.
func (w *Worker) drive(ctx context.Context, s *submission) error {
	for {
		err := w.step(ctx, s)
		var later *notYet
		var mend *needsOperator
		switch {
		case err == nil && (s.State == ledger.SubmissionConfirmed || s.State == ledger.SubmissionFailed):
			return nil
		case err == nil:
		case errors.Is(err, errLeaseLost):
			return nil // another run has taken over
		case errors.As(err, &mend):
			return w.halt(ctx, s, mend)
		case errors.As(err, &later):
			return w.postpone(ctx, s, later)
		default:
			return err
		}
	}
}

func (w *Worker) step(ctx context.Context, s *submission) error {
	switch s.State {
	case ledger.SubmissionClaimed:
		return w.stepSign(ctx, s)
	case ledger.SubmissionPrepared:
		return w.stepSend(ctx, s)
	case ledger.SubmissionSubmitted:
		return w.stepReceipt(ctx, s)
	case ledger.SubmissionReached:
		return w.stepConfirm(ctx, s)
	}
	return fmt.Errorf("submission %s is in unknown state %q", s.ID, s.State)
}
