package notifications_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/database"
)

func tell(w *testenv.System, c *testenv.Client, kind string) string {
	id := database.NewID()
	w.Exec(`INSERT INTO notifications (id, user_id, type, event_key, params) VALUES ($1, $2, $3, $4, '{"report_number": "LS-2026-000007", "status": "fixed"}')`,
		id, c.ID, kind, uuid.NewString())
	return id.String()
}

func TestReadingNotifications(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, notifications.Open)
	c, other := w.Citizen(), w.Citizen()
	first := tell(w, c, "report_received")
	second := tell(w, c, "report_status_changed")
	theirs := tell(w, other, "report_received")

	list := c.With("Accept-Language", "pt").Get("/notifications").Want(http.StatusOK).Object()
	items := list.Items("items")
	if len(items) != 2 || items[0].Text("id") != second || items[1].Text("id") != first || list.Number("total") != 2 {
		t.Fatalf("got %v", list.Values)
	}
	if got := items[0].Text("title"); !strings.Contains(got, "reparado") || items[0].Text("body") != items[0].Text("message") {
		t.Errorf("in Portuguese: %q", got)
	}
	if got := c.Get("/notifications/unread-count").Object().Number("unread_count"); got != 2 {
		t.Errorf("unread %v", got)
	}
	c.Post("/notifications/"+first+"/read", nil).Want(http.StatusOK)
	c.Post("/notifications/"+first+"/read", nil).Want(http.StatusOK)
	if got := c.Get("/notifications?unread_only=true").Object().Items("items"); len(got) != 1 || got[0].Text("id") != second {
		t.Errorf("unread only: %v", got)
	}
	c.Post("/notifications/"+theirs+"/read", nil).Want(http.StatusNotFound)
	c.Delete("/notifications/" + theirs).Want(http.StatusNotFound)
	c.Delete("/notifications/seven").Want(http.StatusUnprocessableEntity)
	c.Delete("/notifications/" + first).Want(http.StatusOK)
	if got := c.Post("/notifications/read-all", nil).Want(http.StatusOK).Object().Number("updated"); got != 1 {
		t.Errorf("updated %v", got)
	}
	if got := other.Get("/notifications/unread-count").Object().Number("count"); got != 1 {
		t.Errorf("the other's unread %v", got)
	}
}

// The words of a comment are not in the list after the comment, its report or the account of its author was removed.
func TestARemovedCommentIsNotShown(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, notifications.Open)
	c, author := w.Citizen(), w.Citizen()
	report, comment := database.NewID(), database.NewID()
	w.Exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude) VALUES ($1, 'LS-2026-000009', $2, '', 'pothole', -8.55, 125.57)`, report, c.ID)
	w.Exec(`INSERT INTO report_comments (id, report_id, author_id, content, is_official) VALUES ($1, $2, $3, 'the words', false)`, comment, report, author.ID)
	w.Exec(`INSERT INTO notifications (id, user_id, type, event_key, report_id, params) VALUES (gen_random_uuid(), $1, 'comment_added', 'comment:' || $2::text, $3,
		'{"report_number": "LS-2026-000009", "author": "Rui", "comment": "the words"}')`, c.ID, comment, report)
	for _, step := range []struct{ change, want string }{
		{`SELECT 1`, "Rui wrote: the words"},
		{`UPDATE report_comments SET deleted_at = now()`, "This comment was removed."},
		{`UPDATE report_comments SET deleted_at = NULL, content = ''`, "This comment was removed."},
		{`UPDATE report_comments SET content = 'the words'`, "Rui wrote: the words"},
		{`UPDATE reports SET deleted_at = now()`, "This comment was removed."},
		{`UPDATE reports SET deleted_at = NULL, status = 'rejected', reason_code = 'offensive'`, "Rui wrote: the words"}, // the reader is the reporter
		{`UPDATE reports SET user_id = NULL`, "This comment was removed."},
		{`UPDATE reports SET status = 'verified', reason_code = NULL`, "Rui wrote: the words"},
		{`UPDATE reports SET status = 'pending'`, "This comment was removed."},
		{`UPDATE users SET role = 'moderator'`, "Rui wrote: the words"},
		{`UPDATE users SET role = 'citizen'`, "This comment was removed."},
		{`INSERT INTO app_settings (key, value) VALUES ('settings', '{"publish_before_verdict": true}')`, "Rui wrote: the words"},
	} {
		w.Exec(step.change)
		items := c.Get("/notifications").Want(http.StatusOK).Object().Items("items")
		if link := items[0].Text("data.link"); link != w.URL+"/r/LS-2026-000009" {
			t.Errorf("link %q", link)
		}
		if len(items) != 1 || items[0].Text("body") != step.want || !strings.Contains(items[0].Text("title"), "LS-2026-000009") {
			t.Errorf("after %s: %v, want %q", step.change, items, step.want)
		}
	}
}

func TestUnreadCountUnderConcurrency(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, notifications.Open)
	c := w.Citizen()
	for range 5 {
		tell(w, c, "report_received")
	}
	var wg sync.WaitGroup
	updated := make([]float64, 6)
	for i := range updated {
		wg.Go(func() { updated[i] = c.Post("/notifications/read-all", nil).Object().Number("updated") })
		wg.Go(func() { tell(w, c, "report_received") })
	}
	wg.Wait()
	sum := c.Get("/notifications/unread-count").Object().Number("unread_count")
	for _, n := range updated {
		sum += n
	}
	if sum != 11 {
		t.Errorf("read and unread add up to %v, want 11", sum)
	}
}
