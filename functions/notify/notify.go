// Package notify is the worker that sends mail and push messages: notifications of
// shared/notification, and mails that belong to no notification (codes, links).
//
// Each channel and device is a delivery of its own and is retried alone. A
// notification is never sent twice by one delivery. The worker records the delivery
// as "sending" immediately before the mail or push service can accept it (handOver).
// After a failure before that point, even a crash of the worker, the delivery is
// tried again. After that point it is not, even if the reply is lost: a service that
// has the whole message has nearly always accepted it, and the notification is in the
// in-app list in any case.
//
// A mail with a code or link is sent until the mail server accepts or refuses it, because
// without it the reader cannot sign in. It may arrive twice.
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
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/weblink"
)

// Config of the worker.
type Config struct {
	Mail MailConfig
	Push PushConfig
	Seal seal.Config
	// LogOrigin and ReceiptsKey are as in ledger.ReceiptsConfig. Without them no mail has a receipt.
	LogOrigin   string `env:"LOG_ORIGIN"`
	ReceiptsKey string `env:"RECEIPTS_KEY"`
	// Concurrency is how many messages are processed at the same time.
	Concurrency int `env:"NOTIFY_CONCURRENCY" envDefault:"4"`
}

// handOver is called once, when the message is ready and before the service can have
// accepted anything of it. If it returns an error, the message must not be sent.
type handOver func(ctx context.Context) error

// Mailer sends one mail. Its error is a *Failure.
type Mailer interface {
	Send(ctx context.Context, m Mail, ready handOver) error
}

// Pusher sends one push message. Its error is a *Failure.
type Pusher interface {
	Push(ctx context.Context, m Push, ready handOver) error
}

// Worker consumes the notify queue.
type Worker struct {
	db     *database.DB
	outbox *outbox.Outbox
	mailer Mailer
	pusher Pusher // nil where push is not configured
	sealer *seal.Sealer
	links  weblink.Base
	// receipts signs those in mails; nil where no key is configured.
	receipts *ledger.Receipts
	clock    timestamp.Clock
	log      *slog.Logger
	metrics  *telemetry.Metrics
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
	return kit.Queue(queue.Notify, concurrency, w.handleMessage), nil
}

func newWorker(kit *service.Kit) (*Worker, int, error) {
	cfg, err := config.Parse[Config](kit.Env)
	if err != nil {
		return nil, 0, fmt.Errorf("open notify: %w", err)
	}
	w := &Worker{db: kit.DB, outbox: kit.Outbox, links: kit.Links, clock: kit.Clock, log: kit.Log, metrics: kit.Metrics}
	if w.sealer, err = seal.New(cfg.Seal); err != nil {
		return nil, 0, fmt.Errorf("open notify: %w", err)
	}
	if w.mailer, err = NewSMTP(cfg.Mail); err != nil {
		return nil, 0, fmt.Errorf("open notify: %w", err)
	}
	if cfg.ReceiptsKey != "" {
		if w.receipts, err = service.OpenReceipts(kit, ledger.ReceiptsConfig{Origin: cfg.LogOrigin, Key: cfg.ReceiptsKey}); err != nil {
			return nil, 0, fmt.Errorf("open notify: %w", err)
		}
	}
	if cfg.Push.ServiceAccount != "" {
		if w.pusher, err = NewFCM(cfg.Push); err != nil {
			return nil, 0, fmt.Errorf("open notify: %w", err)
		}
	}
	return w, cfg.Concurrency, nil
}

func (w *Worker) handleMessage(ctx context.Context, m events.SQSMessage) error {
	var in queue.NotifyMessage
	if err := json.Unmarshal([]byte(m.Body), &in); err != nil {
		return queue.Permanent(errors.New("message is not JSON"))
	}
	switch {
	case in.NotificationID != nil:
		return w.deliverNotification(ctx, *in.NotificationID)
	case in.Staff != nil:
		return w.tellStaff(ctx, *in.Staff)
	case in.Alert != nil:
		return w.tellAlerts(ctx, *in.Alert)
	case in.Contact != nil:
		return w.sendContact(ctx, *in.Contact)
	case len(in.Mail) > 0:
		return w.sendSealed(ctx, in.Mail, sentAt(m), queue.Receives(m))
	}
	return queue.Permanent(errors.New("message names nothing to deliver"))
}

// sentAt is when the message was put on its queue; the zero time if SQS did not say.
func sentAt(m events.SQSMessage) time.Time {
	ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// Failure is why something was not delivered.
type Failure struct {
	// Kind decides whether the delivery is tried again.
	Kind FailureKind
	// Code is the error code of the service, for logs. It never holds an address or a token.
	Code string
}

// FailureKind is what is known about a failed delivery.
type FailureKind int

// The kinds of failure.
const (
	Refused FailureKind = iota // the service refused it; trying again does not help
	Gone                       // the device or the mailbox does not exist
	Delayed                    // nothing was delivered; trying again may help
	Unknown                    // it may have been delivered
)

// Error implements error.
func (f *Failure) Error() string {
	return fmt.Sprintf("delivery %s (%s)", []string{"refused", "impossible, recipient is gone", "delayed", "of unknown outcome"}[f.Kind], f.Code)
}

// kindOf returns the kind of a delivery's error; Unknown if it is not a *Failure.
func kindOf(err error) FailureKind {
	var f *Failure
	if errors.As(err, &f) {
		return f.Kind
	}
	return Unknown
}
