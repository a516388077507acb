package notifications_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

type object = map[string]any

func TestAlerts(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, notifications.Open)
	c, other := w.Citizen(), w.Citizen()
	if got := c.Get("/alerts").Want(http.StatusOK).List(); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	place := object{"lat": "-8.5569", "lng": 125.5603, "radius": 500, "issue_types": []string{"pothole", "pothole"}, "events": []string{"fixed"}}
	first := c.Post("/alerts", place).Want(http.StatusCreated).Object()
	if first.Number("radius_meters") != 500 || first.At("municipality") != nil || len(first.At("issue_types").([]any)) != 1 || len(first.At("events").([]any)) != 1 {
		t.Errorf("got %v", first.Values)
	}
	if again := c.Post("/alerts", place).Want(http.StatusOK).Object(); again.Text("id") != first.Text("id") || again.Text("created_at") != first.Text("created_at") {
		t.Errorf("the second click: %v", again.Values)
	}
	second := c.Post("/alerts", object{"municipality": "díli"}).Want(http.StatusCreated).Object()
	if second.Text("municipality") != "Dili" || second.Text("municipality_code") != "TL-DI" || len(second.At("events").([]any)) != 2 || second.At("latitude") != nil {
		t.Errorf("got %v", second.Values)
	}
	if list := c.Get("/alerts").Want(http.StatusOK).List(); len(list) != 2 || list[0].Text("id") != first.Text("id") || list[1].Text("municipality") != "Dili" {
		t.Errorf("listed %v", list)
	}
	for name, bad := range map[string]object{
		"nothing": {}, "no radius": {"latitude": 1, "longitude": 2}, "too far": {"latitude": 1, "longitude": 2, "radius_meters": 20001},
		"both": {"latitude": 1, "longitude": 2, "radius_meters": 3, "municipality": "Dili"}, "unknown place": {"municipality": "Lisboa"},
		"unknown type": {"municipality": "Dili", "issue_types": []string{"volcano"}}, "unknown event": {"municipality": "Dili", "events": []string{"born"}},
	} {
		if got := c.Post("/alerts", bad); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	c.Post("/alerts", object{"latitude": 48.1, "longitude": 11.5, "radius_meters": 500}).WantProblem(http.StatusUnprocessableEntity, "outside_area")
	if got := other.Delete("/alerts/" + first.Text("id")).Want(http.StatusNotFound); got.Code() != "alert_not_found" {
		t.Errorf("of another person: %s", got.Body)
	}
	c.Delete("/alerts/" + first.Text("id")).Want(http.StatusOK)
	c.Delete("/alerts/" + first.Text("id")).Want(http.StatusNotFound)
	c.Delete("/alerts/x").Want(http.StatusUnprocessableEntity)
	w.Anonymous().Get("/alerts").Want(http.StatusUnauthorized)
}

// A person has at most 10, also when they are added at once.
func TestTenAlertsAPerson(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, notifications.Open)
	c := w.Citizen()
	var wg sync.WaitGroup
	for n := range 14 {
		wg.Go(func() {
			got := c.With("Idempotency-Key", uuid.NewString()).Post("/alerts", object{"latitude": -8.5, "longitude": 125.5 + float64(n)/100, "radius_meters": 3})
			if got.Status != http.StatusCreated && got.Code() != "alert_limit" {
				t.Errorf("got %d %s", got.Status, got.Body)
			}
		})
	}
	wg.Wait()
	if n := w.Int(`SELECT count(*) FROM alerts`); n != 10 {
		t.Errorf("%d alerts, want 10", n)
	}
}
