package relay

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/infra/local/ledgertest"
	"github.com/lafaekstreet/backend/shared/queue"
)

// tick is a call by the schedule.
func (b *bundle) tick() {
	b.t.Helper()
	if err := b.relay.Run(b.t.Context(), events.EventBridgeEvent{DetailType: "Scheduled Event"}); err != nil {
		b.t.Fatal(err)
	}
}

// pausing is a bundle whose database may pause.
func pausing(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	b.relay.cfg.Pause = 15 * time.Minute
	b.clock.Advance(b.clock.Now().Truncate(b.relay.cfg.Pause).Add(b.relay.cfg.Pause + time.Minute).Sub(b.clock.Now())) // a minute after a quarter
	return b
}

// When nothing is open, relay lets the database sleep until the next quarter of an hour, and holds no connection to it.
func TestRelayLeavesAnIdleDatabaseAlone(t *testing.T) {
	t.Parallel()
	b := pausing(t)
	b.tick()
	if n := b.relay.db.Stat().TotalConns(); n != 0 {
		t.Errorf("%d connections are open in the pause", n)
	}
	if n := b.count(`SELECT count(*) FROM outbox`); n != 0 {
		t.Errorf("an idle run has left %d messages", n)
	}
	b.outbox(queue.Notify, 1, "1 hour")
	for range 13 { // until a minute before the quarter
		b.clock.Advance(time.Minute)
		b.out.Reset()
		b.tick()
		if b.relay.db.Stat().TotalConns() != 0 || b.relay.db.Stat().AcquireCount() > 0 && len(b.received(queue.Notify)) > 0 {
			t.Fatal("the pause was broken")
		}
		if !strings.Contains(b.out.String(), `"outbox_age":0`) {
			t.Errorf("a call in the pause counts as silence: %s", b.out)
		}
	}
	b.clock.Advance(time.Minute)
	b.tick()
	if n := len(b.received(queue.Notify)); n != 1 {
		t.Errorf("after the pause %d messages were sent", n)
	}
	b.outbox(queue.Notify, 1, "1 hour")
	b.clock.Advance(time.Minute)
	b.tick() // the message before was open: no pause followed
	if n := len(b.received(queue.Notify)); n != 1 {
		t.Errorf("a run that found something open was followed by a pause")
	}
}

// An operator who calls relay wants it to work, in a pause too.
func TestACallByHandIgnoresThePause(t *testing.T) {
	t.Parallel()
	b := pausing(t)
	b.tick()
	b.outbox(queue.Notify, 1, "1 hour")
	if err := b.run(); err != nil || len(b.received(queue.Notify)) != 1 {
		t.Errorf("the call did nothing: %v", err)
	}
}

// Where the database does not sleep there is no pause.
func TestWithoutThePauseEachCallWorks(t *testing.T) {
	t.Parallel()
	b := pausing(t)
	b.relay.cfg.Pause = 0
	b.tick()
	if n := b.count(`SELECT count(*) FROM outbox WHERE queue = 'anchor'`); n != 1 { // unknown to this test's relay, so it stays
		t.Errorf("anchor was woken %d times", n)
	}
	b.outbox(queue.Notify, 1, "1 hour")
	b.tick()
	if n := len(b.received(queue.Notify)); n != 1 {
		t.Errorf("%d messages were sent", n)
	}
}

// What is open, or was written within the hour, forbids the pause. Each is tried alone.
func TestWhatForbidsThePause(t *testing.T) {
	t.Parallel()
	b := pausing(t)
	report := b.report("completed", "2 hours")
	ledgertest.Submit(t, b.db, report)
	b.exec(`UPDATE log_head SET size = (SELECT next FROM log_counter), checkpoint = 'signed'`)
	b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, attached_at, expires_at)
		VALUES (gen_random_uuid(), $1, 'originals/x', 'image/jpeg', 1, 'processed', now(), now() + interval '1 day')`, b.person)
	b.exec(`INSERT INTO sessions (id, user_id, expires_at) VALUES (gen_random_uuid(), $1, now() + interval '59 days')`, b.person)
	b.exec(`INSERT INTO notifications (id, user_id, type, event_key, params) VALUES (gen_random_uuid(), $1, 'report_received', 'k', '{}')`, b.person)
	if b.mayPause() {
		t.Error("an event of the last hour does not forbid the pause")
	}
	b.clock.Advance(2 * time.Hour)
	now := "'" + b.clock.Now().Format(time.RFC3339) + "'::timestamptz"
	for _, c := range []struct{ name, begin, end string }{
		{"nothing", ``, ``},
		{"message in the outbox, not due", `INSERT INTO outbox (id, queue, body, not_before) VALUES (gen_random_uuid(), 'geocode', '{}', NOW + interval '1 hour')`, `DELETE FROM outbox`},
		{"report without a verdict", `UPDATE reports SET ai_status = 'queued'`, `UPDATE reports SET ai_status = 'completed'`},
		{"picture with parts to be made black", `UPDATE uploads SET state = 'redacting', processed_at = NOW`, `UPDATE uploads SET state = 'processed'`},
		{"announcement", `INSERT INTO announcements (id, title, body) VALUES (gen_random_uuid(), '{}', '{}')`, `DELETE FROM announcements`},
		{"comment that waits for its mail", `INSERT INTO notification_deliveries (notification_id, channel, recipient, state, attempts) SELECT id, 'mail', '', 'waiting', 0 FROM notifications`,
			`DELETE FROM notification_deliveries`},
		{"call of a webhook that waits", `INSERT INTO webhooks (id, url, events, secret) VALUES (gen_random_uuid(), 'https://receiver.example/', '{comment.added}', '');
			INSERT INTO webhook_deliveries (id, webhook_id, report_id, event_type, occurred_at) SELECT gen_random_uuid(), w.id, r.id, 'comment.added', now() FROM webhooks w, reports r`, `UPDATE webhooks SET enabled = false, off_reason = 'admin'`},
		{"event that is not published", `UPDATE log_head SET size = size - 1`, `UPDATE log_head SET size = size + 1`},
		{"round of the log that is due later", `UPDATE log_head SET wake_at = NOW + interval '1 hour'`, `UPDATE log_head SET wake_at = NULL`},
		{"message to the ledger", `INSERT INTO log_messages (id, topic_id, size, first_index, message, state, shown, next_attempt_at, created_at, updated_at)
			VALUES (gen_random_uuid(), '0.0.1', 1, 0, '{}', 'claimed', 0, NOW, NOW, NOW)`, `DELETE FROM log_messages`},
		{"session of the last hour", `UPDATE sessions SET expires_at = NOW + interval '60 days' - interval '50 minutes'`, `UPDATE sessions SET expires_at = NOW + interval '59 days'`},
		{"code of the last hour", `INSERT INTO one_time_codes (id, address_hmac, purpose, code_hmac, expires_at) VALUES (gen_random_uuid(), '', 'registration', '', NOW - interval '40 minutes')`,
			`DELETE FROM one_time_codes`},
		{"request of the last hour", `INSERT INTO idempotency_keys (owner, key, request_hash, locked_until, created_at) VALUES ('a', 'k', '', NOW, NOW - interval '50 minutes')`,
			`DELETE FROM idempotency_keys`},
		{"nothing again", ``, ``},
	} {
		b.exec(strings.ReplaceAll(c.begin, "NOW", now))
		if got, want := b.mayPause(), c.begin == ""; got != want {
			t.Errorf("%s: may pause %v, want %v", c.name, got, want)
		}
		b.exec(strings.ReplaceAll(c.end, "NOW", now))
	}
}

func (b *bundle) mayPause() bool {
	b.t.Helper()
	idle, err := b.relay.idle(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return idle
}
