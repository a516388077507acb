package requestcost_test

import (
	"crypto/rand"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/requestcost"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// TestTasksStayWithinTheirBytes compares the cost of the app's tasks with their goals.
func TestTasksStayWithinTheirBytes(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	// In Lambda every signed link carries the role's session token.
	w.Env["AWS_SESSION_TOKEN"] = strings.Repeat(rand.Text(), 30)
	w.Serve(reports.Open, notifications.Open)
	me := w.Citizen()
	id := populate(t, w, me)
	if link := me.Get("/reports/" + id).Object().Text("thumbnail_url"); !strings.Contains(link, w.Env["AWS_SESSION_TOKEN"]) {
		t.Errorf("links are shorter than in Lambda: %s", link)
	}
	rows, err := requestcost.Measure(t.Context(), w.URL, me.Token, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		t.Logf("%-28s %d requests, %5d bytes sent, %5d received, of %d", r.Name, r.Requests, r.Sent, r.Received, r.Goal)
		if r.Cost() > r.Goal {
			t.Errorf("%s costs %d bytes, more than %d", r.Name, r.Cost(), r.Goal)
		}
	}
}

// populate creates reports of several people with pictures, places, agencies and history, and notifications for me. It
// returns a report of mine with every kind of data.
func populate(t *testing.T, w *testenv.System, me *testenv.Client) string {
	t.Helper()
	agency := w.Agency("MOP-DI")
	others := []*testenv.Client{w.Citizen(), w.Citizen(), w.Citizen(), w.Citizen(), w.Citizen()}
	var mine string
	for i := range 24 {
		c := others[i%len(others)]
		if i >= 18 {
			c = me
		}
		w.Exec(`UPDATE users SET full_name = $2 WHERE id = $1`, c.ID, "Maria "+requestcost.Words(2))
		picture := c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(uint8(i))).Want(201).Object().Text("upload_id")
		w.ProcessUpload(picture)
		w.Exec(`UPDATE uploads SET blurhash = $2 WHERE id = $1`, picture, rand.Text()+"=")
		body := map[string]any{"client_id": uuid.NewString(), "issue_type": "pothole", "title": requestcost.Words(4), "description": requestcost.Words(18),
			"latitude": degrees(-8.5 - float64(i)/317), "longitude": degrees(125.5 + float64(i)/293), "location_accuracy": 6.5, "images": []any{map[string]any{"upload_id": picture}}}
		mine = c.Post("/reports", body).Want(201).Object().Text("id")
		w.Exec(`UPDATE reports SET address = $2, street = $3, suco = 'Caicoli', district = 'Vera Cruz', municipality = 'Dili', municipality_code = 'TL-DI',
			severity = 'high', severity_score = 7, ai_status = 'completed', status = 'verified', blockchain_status = 'confirmed',
			assigned_agency_id = CASE WHEN $4 THEN $5::uuid END, version = 4, updated_at = now() WHERE id = $1`,
			mine, "Rua "+requestcost.Words(2)+", Caicoli, Vera Cruz, Dili", "Rua "+requestcost.Words(1), i%2 == 0, agency)
		w.Exec(`INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind) VALUES ($1, $2, 'pending', 'verified', 'ai')`, uuid.New(), mine)
		for n := range 3 {
			w.Exec(`INSERT INTO notifications (id, user_id, type, event_key, report_id, params)
				SELECT $1, $2, 'comment_added', $3, id, jsonb_build_object('report_number', report_number, 'author', 'Maria', 'comment', $4::text) FROM reports WHERE id = $5`,
				uuid.New(), me.ID, fmt.Sprint(i, n), requestcost.Words(12), mine)
		}
	}
	return mine
}

// degrees rounds to the precision that phones send.
func degrees(v float64) float64 { return math.Round(v*1e7) / 1e7 }
