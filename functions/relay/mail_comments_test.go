package relay

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/queue"
)

// One message for each reader and report, for the oldest comment. A comment
// whose mail went with a notification that was deleted waits again.
func TestWaitingCommentsAreMailedWhenTheirHourIsOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude, ai_status, geocoded_at)
		VALUES ('00000000-0000-7000-8000-00000000000a', 'LS-1', $1, '', 'pothole', -8.55, 125.57, 'completed', now()),
		       ('00000000-0000-7000-8000-00000000000b', 'LS-2', $1, '', 'pothole', -8.55, 125.57, 'completed', now())`, b.person)
	wait := func(report, age, state string) string {
		id := uuid.NewString()
		b.exec(`INSERT INTO notifications (id, user_id, type, event_key, report_id, created_at)
			VALUES ($1::uuid, $2, 'comment_added', $1, ('00000000-0000-7000-8000-00000000000' || $3)::uuid, now() - $4::interval)`, id, b.person, report, age)
		b.exec(`INSERT INTO notification_deliveries (notification_id, channel, state, gathered_by)
			VALUES ($1::uuid, 'mail', $2, CASE WHEN $2 = 'gathered' THEN gen_random_uuid() END)`, id, state)
		return id
	}
	oldest := wait("a", "50 minutes", "gathered")
	wait("a", "40 minutes", "waiting")
	other := wait("b", "30 minutes", "waiting")
	b.exec(`INSERT INTO comment_mails (user_id, report_id, begun_at) SELECT $1, id, now() - interval '59 minutes' FROM reports`, b.person)
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	if got := b.received(queue.Notify); len(got) != 0 {
		t.Errorf("before the hour is over: %v", got)
	}
	b.clock.Advance(2 * time.Minute)
	for run := range 2 {
		if err := b.run(); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(b.received(queue.Notify), " ")
		if run == 0 && (strings.Count(got, "notification_id") != 2 || !strings.Contains(got, oldest) || !strings.Contains(got, other)) {
			t.Errorf("after the hour: %s", got)
		}
		if run == 1 && got != "" {
			t.Errorf("a minute later the same again: %s", got)
		}
	}
}
