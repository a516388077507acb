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
