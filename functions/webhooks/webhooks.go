// Package webhooks is the worker that sends events of reports to the addresses that administrators named. It reads the queue
// webhooks.
//
// Life of a delivery: the transaction of an event stores it (shared/webhook). The worker claims it, makes its body, calls the receiver
// and settles it: it is delivered, waits for the next call, or is parked after a day. A claim of a worker that was killed ends after
// claimTime. Relay sends a message for what is due and for which no message is on its way.
package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbound"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/weblink"
)

// atOnce is how many messages of a batch are handled at the same time.
const atOnce = 5

// Worker sends deliveries.
type Worker struct {
	outbox  *outbox.Outbox
	reader  *reportread.Reader
	sealer  *seal.Sealer
	client  *outbound.Client
	links   weblink.Base
	clock   timestamp.Clock
	log     *slog.Logger
	metrics *telemetry.Metrics
}

// Config has the settings that this worker alone reads.
type Config struct {
	Seal     seal.Config
	Outbound outbound.Config
}

// Open returns the worker.
func Open(ctx context.Context, env config.Env) (queue.Handler, error) { return open(ctx, env) }

func open(ctx context.Context, env config.Env, opts ...service.Option) (queue.Handler, error) {
	kit, err := service.Open(ctx, "webhooks", env, opts...)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Parse[Config](env)
	if err != nil {
		return nil, fmt.Errorf("open webhooks: %w", err)
	}
	sealer, err := seal.New(cfg.Seal)
	if err != nil {
		return nil, fmt.Errorf("open webhooks: %w", err)
	}
	w := &Worker{
		outbox: kit.Outbox, reader: reportread.NewReader(kit.DB, nil, nil, ledger.Config{}), sealer: sealer,
		client: outbound.New(cfg.Outbound, callTimeout), links: kit.Links, clock: kit.Clock, log: kit.Log, metrics: kit.Metrics,
	}
	return kit.Queue(queue.Webhooks, atOnce, w.handle), nil
}

// handle makes the calls of one webhook that are due, one after the other. If the time of the invocation ends before, another message
// continues.
func (w *Worker) handle(ctx context.Context, m events.SQSMessage) error {
	var message queue.WebhookMessage
	if err := json.Unmarshal([]byte(m.Body), &message); err != nil || message.WebhookID == uuid.Nil {
		return queue.Permanent(errors.New("message names no webhook"))
	}
	for {
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < callTimeout+settleTime {
			return w.outbox.Do(ctx, func(tx *outbox.Tx) error { return tx.Send(ctx, queue.Webhooks, message) })
		}
		d, err := w.claim(ctx, message.WebhookID)
		if err != nil || d == nil {
			return err
		}
		if err := w.deliver(ctx, d); err != nil {
			return err
		}
	}
}
