package relay

import (
	"testing"
	"time"
)

// A webhook gets one message a run while a call is due and no worker is on it; not while it rests, is off, or is called now. Old calls go.
func TestRelayWakesWebhooks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.report("completed", "1 hour")
	for _, hook := range []string{"now() - interval '1 minute', true, NULL", "now() + interval '1 minute', true, NULL", "NULL, false, 'admin'"} {
		b.exec(`INSERT INTO webhooks (id, url, events, secret, paused_until, enabled, off_reason) SELECT gen_random_uuid(), 'https://receiver.example/', '{comment.added}', '', ` + hook)
	}
	b.exec(`INSERT INTO webhook_deliveries (id, webhook_id, report_id, event_type, occurred_at, next_at, claimed_until)
		SELECT gen_random_uuid(), w.id, r.id, 'comment.added', now(), now() - interval '1 minute', now() - interval '1 second' FROM webhooks w, reports r, generate_series(1, 3)`)
	sent := func() int {
		t.Helper()
		b.exec(`DELETE FROM outbox WHERE queue = 'webhooks'`)
		if err := b.relay.wakeWebhooks(t.Context()); err != nil {
			t.Fatal(err)
		}
		return b.count(`SELECT count(*) FROM outbox WHERE queue = 'webhooks'`)
	}
	if n := sent(); n != 1 {
		t.Errorf("%d messages, want one for the webhook that is on and does not rest", n)
	}
	b.exec(`UPDATE webhook_deliveries SET claimed_until = now() + interval '1 minute'`)
	if n := sent(); n != 0 {
		t.Errorf("%d messages while a worker makes the calls", n)
	}
	b.exec(`UPDATE webhook_deliveries SET claimed_until = NULL, next_at = now() + interval '1 minute'`)
	if n := sent(); n != 0 {
		t.Errorf("%d messages before a call is due", n)
	}
	b.exec(`UPDATE webhook_deliveries d SET state = s.state, settled_at = now() FROM (SELECT id, (ARRAY['delivered', 'parked', 'waiting'])[1 + (row_number() OVER ()) % 3] AS state FROM webhook_deliveries) s WHERE s.id = d.id`)
	for _, step := range []struct {
		after time.Duration
		left  int
	}{{6 * 24 * time.Hour, 9}, {2 * 24 * time.Hour, 6}, {23 * 24 * time.Hour, 3}} {
		b.clock.Advance(step.after)
		if err := b.relay.expireRows(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := b.count(`SELECT count(*) FROM webhook_deliveries`); n != step.left {
			t.Errorf("after %v more %d deliveries are left, want %d", step.after, n, step.left)
		}
	}
}
