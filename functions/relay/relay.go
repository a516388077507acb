// Package relay is the function that finishes interrupted work of other functions. Every minute it sends the messages that
// are still in the outbox after a crash. It sends another message for work that seems stuck, deletes expired rows and
// pictures, and measures how long work waits.
//
// Each task can be repeated, run twice at the same time, and be interrupted.
package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/start"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Config of the function.
type Config struct {
	Storage storage.Config
	// Grace is how long the function that wrote a message has to send it itself.
	Grace time.Duration `env:"RELAY_GRACE" envDefault:"30s"`
	// Stuck is the age at which a report, a picture or a place without a result gets another message. It must be longer
	// than the life of a message, a day and a half: otherwise an outage would send more and more messages, and each would
	// become a dead letter. 0 means catalog.MessageLife.
	Stuck time.Duration `env:"RELAY_STUCK"`
	// Pause is how long the database is left alone when nothing is open and nothing was written for an hour, so that it can
	// pause. A message that a crash left in the outbox then waits as long. 0 is no pause.
	Pause time.Duration `env:"RELAY_PAUSE"`
}

// Objects is what relay needs of S3.
type Objects interface {
	Delete(ctx context.Context, key string) error
	DeleteVersions(ctx context.Context, key string) error
}

// Relay runs the tasks.
type Relay struct {
	db      *database.DB
	outbox  *outbox.Outbox
	objects Objects
	clock   timestamp.Clock
	log     *slog.Logger
	metrics *telemetry.Metrics
	cfg     Config
	paused  atomic.Int64 // until then, in nanoseconds since 1970
}

// Open makes the function.
func Open(ctx context.Context, env config.Env) (start.Scheduled, error) {
	kit, err := service.Open(ctx, "relay", env)
	if err != nil {
		return nil, err
	}
	return newRelay(kit)
}

func newRelay(kit *service.Kit) (*Relay, error) {
	cfg, err := config.Parse[Config](kit.Env)
	if err != nil {
		return nil, fmt.Errorf("open relay: %w", err)
	}
	if cfg.Stuck == 0 {
		cfg.Stuck = catalog.MessageLife()
	}
	return &Relay{db: kit.DB, outbox: kit.Outbox, objects: storage.New(kit.AWS, cfg.Storage), clock: kit.Clock,
		log: kit.Log, metrics: kit.Metrics, cfg: cfg}, nil
}

// Run implements start.Scheduled.
func (r *Relay) Run(ctx context.Context, e events.EventBridgeEvent) error {
	if r.pausing(e) {
		r.measurePause()
		return nil
	}
	idle, err := r.idle(ctx)
	if err := errors.Join(err, r.runTasks(ctx, idle)); err != nil {
		return err
	}
	if idle {
		r.pause()
	}
	return nil
}

// runTasks runs every task, also after one has failed. When the system is idle, anchor has nothing to do.
func (r *Relay) runTasks(ctx context.Context, idle bool) error {
	tasks := []struct {
		name string
		run  func(context.Context) error
	}{
		{"sweep outbox", r.sweep},
		{"wake anchor", func(ctx context.Context) error {
			if idle {
				return nil
			}
			return r.wakeAnchor(ctx)
		}},
		{"wake pictures", func(ctx context.Context) error { return r.wake(ctx, unprocessed) }},
		{"wake reports", func(ctx context.Context) error { return r.wake(ctx, unjudged) }},
		{"wake pictures", func(ctx context.Context) error { return r.wake(ctx, unjudgedPictures) }},
		{"wake redactions", func(ctx context.Context) error { return r.wake(ctx, unredacted) }},
		{"wake places", func(ctx context.Context) error { return r.wake(ctx, unnamed) }},
		{"wake webhooks", r.wakeWebhooks},
		{"mail comments", r.mailComments},
		{"announce", r.announce},
		{"tell overdue", r.tellOverdue},
		{"claim reports", r.claimReports},
		{"fold statistics", func(ctx context.Context) error { return opendata.Fold(ctx, r.db) }},
		{"withdraw exports", r.withdrawExports},
		{"expire uploads", r.expireUploads},
		{"delete pictures", r.deletePictures},
		{"delete stale renditions", r.deleteStale},
		{"expire rows", r.expireRows},
		{"measure", r.measure},
	}
	var failed error
	for _, t := range tasks {
		if err := t.run(ctx); err != nil {
			r.metrics.Add(catalog.RelayTaskFailed)
			failed = errors.Join(failed, fmt.Errorf("%s: %w", t.name, err))
		}
	}
	return failed
}

// sweeps is the most batches of one run. The next run sends the rest.
const sweeps = 50

func (r *Relay) sweep(ctx context.Context) error {
	for range sweeps {
		sent, more, err := r.outbox.Sweep(ctx, r.clock.Now().Add(-r.cfg.Grace))
		if err != nil {
			return err
		}
		if sent > 0 {
			r.metrics.Put(catalog.OutboxSwept, float64(sent))
		}
		if !more || sent == 0 {
			return nil
		}
	}
	return nil
}

// wakeAnchor makes anchor begin a round: its messages may have been lost, or what they waited for is due. It sends none while
// one waits in the outbox.
func (r *Relay) wakeAnchor(ctx context.Context) error {
	return r.outbox.Do(ctx, func(tx *outbox.Tx) error {
		var waits bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM outbox WHERE queue = 'anchor')`).Scan(&waits); err != nil || waits {
			return err
		}
		return tx.Send(ctx, queue.Anchor, queue.AnchorMessage{})
	})
}

// waitingSQL returns three numbers: how long the oldest report has waited for its verdict, in seconds; how long the oldest
// event has waited to be in the published log, in seconds; and the number of reports without a verdict because the AI failed. Each
// part reads an index of waiting rows only.
const waitingSQL = `
	SELECT
		coalesce(extract(epoch FROM now() - (SELECT min(created_at) FROM reports WHERE ai_status IN ('queued', 'processing') AND deleted_at IS NULL)), 0),
		coalesce(extract(epoch FROM now() -
			(SELECT created_at FROM ledger_events WHERE log_index >= (SELECT size FROM log_head) ORDER BY log_index LIMIT 1)), 0),
		(SELECT count(*) FROM reports WHERE ai_status = 'failed' AND status = 'pending' AND deleted_at IS NULL)`

// measure emits the metrics of waiting work that alarms watch.
func (r *Relay) measure(ctx context.Context) error {
	backlog, err := r.outbox.Backlog(ctx)
	if err != nil {
		return err
	}
	r.metrics.Put(catalog.OutboxMessages, float64(backlog.Messages))
	r.metrics.Put(catalog.OutboxAge, backlog.Oldest.Seconds())
	var ai, log float64
	var failed int
	if err := r.db.QueryRow(ctx, waitingSQL).Scan(&ai, &log, &failed); err != nil {
		return fmt.Errorf("measure waiting: %w", err)
	}
	r.metrics.Put(catalog.ValidateLag, ai)
	r.metrics.Put(catalog.LogLag, log)
	r.metrics.Put(catalog.ReportsAIFailed, float64(failed))
	return nil
}
