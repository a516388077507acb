// Package notify is the worker that brings what happened to people: the in-app
// notifications of shared/notification by mail and push, and the mails that
// belong to no notification (codes, links).
//
// The channels know nothing of each other: one that fails comes back alone. Of a
// notification nothing is sent twice. So its delivery is written down in the last
// moment before a service may take it (handOver): up to there whatever breaks,
// the worker included, has it tried again; from there on it is not, even where
// nobody heard the answer, because a service that has a whole message and loses
// its answer has nearly always taken it, and the in-app list has it in any case.
// A mail with a code is sent until it is known to have arrived: without it nobody
// gets in.
package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Config of the worker.
type Config struct {
	Mail MailConfig
	Push PushConfig
	Seal seal.Config
	// Concurrency is how many messages are worked on at once.
	Concurrency int `env:"NOTIFY_CONCURRENCY" envDefault:"4"`
}

// handOver is called once everything is ready and before the service can have
// taken anything; its error forbids to go on.
type handOver func(ctx context.Context) error

// Mailer sends one mail. Its error is a *Failure.
type Mailer interface {
	Send(ctx context.Context, m Mail, ready handOver) error
}

// Pusher sends one push message. Its error is a *Failure.
type Pusher interface {
	Push(ctx context.Context, m Push, ready handOver) error
}

// Worker delivers.
type Worker struct {
	db      *database.DB
	outbox  *outbox.Outbox
	mailer  Mailer
	pusher  Pusher // nil where push is not configured
	sealer  *seal.Sealer
	clock   timestamp.Clock
	log     *slog.Logger
	metrics *telemetry.Metrics
}

// Open makes the consumer of the notify queue.
func Open(ctx context.Context, env config.Env) (queue.Handler, error) {
	kit, err := service.Open(ctx, "notify", env)
	if err != nil {
		return nil, err
	}
	w, concurrency, err := newWorker(kit)
	if err != nil {
		return nil, err
	}
	return kit.Queue(queue.Notify, concurrency, w.message), nil
}

func newWorker(kit *service.Kit) (*Worker, int, error) {
	cfg, err := config.Parse[Config](kit.Env)
	if err != nil {
		return nil, 0, fmt.Errorf("open notify: %w", err)
	}
	w := &Worker{db: kit.DB, outbox: kit.Outbox, clock: kit.Clock, log: kit.Log, metrics: kit.Metrics}
	if w.sealer, err = seal.New(cfg.Seal); err != nil {
		return nil, 0, fmt.Errorf("open notify: %w", err)
	}
	if w.mailer, err = NewSMTP(cfg.Mail); err != nil {
		return nil, 0, fmt.Errorf("open notify: %w", err)
	}
	if cfg.Push.ServiceAccount != "" {
		if w.pusher, err = NewFCM(cfg.Push); err != nil {
			return nil, 0, fmt.Errorf("open notify: %w", err)
		}
	}
	return w, cfg.Concurrency, nil
}

func (w *Worker) message(ctx context.Context, m events.SQSMessage) error {
	var in queue.NotifyMessage
	if err := json.Unmarshal([]byte(m.Body), &in); err != nil {
		return queue.Permanent(errors.New("message is no JSON"))
	}
	switch {
	case in.NotificationID != nil:
		return w.notification(ctx, *in.NotificationID)
	case len(in.Mail) > 0:
		return w.sealed(ctx, in.Mail, sentAt(m))
	}
	return queue.Permanent(errors.New("message names nothing to deliver"))
}

// sentAt is when the message was put on its queue; zero when SQS did not say.
func sentAt(m events.SQSMessage) time.Time {
	ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// Failure is why something was not delivered.
type Failure struct {
	// Kind decides what happens next.
	Kind FailureKind
	// Code is the service's own, for the record; never an address or a token.
	Code string
}

// FailureKind is what is known about a failed delivery.
type FailureKind int

// The kinds of failure.
const (
	Refused FailureKind = iota // and will be again
	Gone                       // the device or mailbox is no more
	Delayed                    // nothing was delivered; trying again may help
	Unknown                    // it may or may not have been delivered
)

// Error implements error.
func (f *Failure) Error() string {
	return fmt.Sprintf("delivery %s (%s)", []string{"refused", "impossible, recipient is gone", "delayed", "of unknown outcome"}[f.Kind], f.Code)
}

// kindOf is the kind of a delivery's error.
func kindOf(err error) FailureKind {
	var f *Failure
	if errors.As(err, &f) {
		return f.Kind
	}
	return Unknown
}
