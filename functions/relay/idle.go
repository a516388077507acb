package relay

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/identity"
)

// quietFor is how long nothing must have been written before relay leaves the database alone.
const quietFor = time.Hour

// idleSQL reports whether nothing is open and nobody has written anything since $1. Open is what this function, or a worker that
// it wakes, has to do soon. A session that was begun or renewed since $1 ends after $2; signed-in clients renew it each hour, so
// it stands for what they write.
const idleSQL = `
	SELECT NOT (
		EXISTS (SELECT FROM outbox)
		OR EXISTS (SELECT FROM reports WHERE ai_status IN ('queued', 'processing') AND deleted_at IS NULL)
		OR EXISTS (SELECT FROM uploads WHERE state = 'redacting')
		OR EXISTS (SELECT FROM announcements WHERE finished_at IS NULL)
		OR EXISTS (SELECT FROM notification_deliveries WHERE state = 'waiting')
		OR EXISTS (SELECT FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id WHERE d.state = 'waiting' AND w.enabled)
		OR (SELECT c.next > h.size OR h.wake_at IS NOT NULL FROM log_counter c, log_head h)
		OR EXISTS (SELECT FROM log_messages WHERE state NOT IN ('confirmed', 'failed'))
		OR EXISTS (SELECT FROM ledger_events WHERE log_index = (SELECT next - 1 FROM log_counter) AND created_at > $1)
		OR EXISTS (SELECT FROM sessions WHERE expires_at > $2)
		OR EXISTS (SELECT FROM one_time_codes WHERE expires_at > $1)
		OR EXISTS (SELECT FROM idempotency_keys WHERE created_at > $1))`

// idle reports whether the database may be left alone after this run. It is false where no pause is configured.
func (r *Relay) idle(ctx context.Context) (bool, error) {
	if r.cfg.Pause == 0 {
		return false, nil
	}
	since := r.clock.Now().Add(-quietFor)
	var idle bool
	if err := r.db.QueryRow(ctx, idleSQL, since, since.Add(identity.SessionLife)).Scan(&idle); err != nil {
		return false, fmt.Errorf("look whether anything is open: %w", err)
	}
	return idle, nil
}

// pause leaves the database alone until the next multiple of Config.Pause, at which export calls it too, and closes the
// connections: an Aurora pauses only while it has none.
func (r *Relay) pause() {
	r.paused.Store(r.clock.Now().Truncate(r.cfg.Pause).Add(r.cfg.Pause).UnixNano())
	r.db.Reset()
}

// pausing reports whether a call of the schedule is to do nothing. A call by hand always works.
func (r *Relay) pausing(e events.EventBridgeEvent) bool {
	return e.DetailType == scheduled && r.clock.Now().UnixNano() < r.paused.Load()
}

// scheduled is the type of the events of a schedule.
const scheduled = "Scheduled Event"

// measurePause emits what the last run has found: nothing waits. Otherwise the alarm relay-silent would fire.
func (r *Relay) measurePause() {
	r.metrics.Put(catalog.OutboxMessages, 0)
	r.metrics.Put(catalog.OutboxAge, 0)
}
