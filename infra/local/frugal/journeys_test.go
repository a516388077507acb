package frugal_test

import (
	"crypto/rand"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/frugal"
	"github.com/lafaekstreet/backend/infra/local/world"
)

// TestData holds the app's five journeys to what they may cost.
func TestData(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	// In Lambda every signed link carries the role's session token.
	w.Env["AWS_SESSION_TOKEN"] = strings.Repeat(rand.Text(), 30)
	w.Serve(reports.Open, notifications.Open)
	me := w.Citizen()
	id := populate(t, w, me)
	if link := me.Get("/reports/" + id).Object().Text("thumbnail_url"); !strings.Contains(link, w.Env["AWS_SESSION_TOKEN"]) {
		t.Errorf("links are shorter than in Lambda: %s", link)
	}
	rows, err := frugal.Journeys(t.Context(), w.URL, me.Token, id)
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

// populate files reports of several people with pictures, places, agencies and history, and tells me things. It returns a
// report of mine that has everything.
func populate(t *testing.T, w *world.World, me *world.Client) string {
	t.Helper()
	agency := w.Agency("MOP-DI")
	others := []*world.Client{w.Citizen(), w.Citizen(), w.Citizen(), w.Citizen(), w.Citizen()}
	var mine string
	for i := range 24 {
		c := others[i%len(others)]
		if i >= 18 {
			c = me
		}
		w.Exec(`UPDATE users SET full_name = $2 WHERE id = $1`, c.ID, "Maria "+frugal.Words(2))
		picture := c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(uint8(i))).Want(201).Object().Text("upload_id")
		w.Process(picture)
		w.Exec(`UPDATE uploads SET blurhash = $2 WHERE id = $1`, picture, rand.Text()+"=")
		body := map[string]any{"client_id": uuid.NewString(), "issue_type": "pothole", "title": frugal.Words(4), "description": frugal.Words(18),
			"latitude": degrees(-8.5 - float64(i)/317), "longitude": degrees(125.5 + float64(i)/293), "location_accuracy": 6.5, "images": []any{map[string]any{"upload_id": picture}}}
		mine = c.Post("/reports", body).Want(201).Object().Text("id")
		w.Exec(`UPDATE reports SET address = $2, street = $3, suco = 'Caicoli', district = 'Vera Cruz', municipality = 'Dili', municipality_code = 'TL-DI',
			severity = 'high', severity_score = 7, ai_status = 'completed', status = 'verified', blockchain_status = 'confirmed',
			assigned_agency_id = CASE WHEN $4 THEN $5::uuid END, version = 4, updated_at = now() WHERE id = $1`,
			mine, "Rua "+frugal.Words(2)+", Caicoli, Vera Cruz, Dili", "Rua "+frugal.Words(1), i%2 == 0, agency)
		w.Exec(`INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind) VALUES ($1, $2, 'pending', 'verified', 'ai')`, uuid.New(), mine)
		for n := range 3 {
			w.Exec(`INSERT INTO notifications (id, user_id, type, event_key, report_id, params)
				SELECT $1, $2, 'comment_added', $3, id, jsonb_build_object('report_number', report_number, 'author', 'Maria', 'comment', $4::text) FROM reports WHERE id = $5`,
				uuid.New(), me.ID, fmt.Sprint(i, n), frugal.Words(12), mine)
		}
	}
	return mine
}

// degrees are as phones give them.
func degrees(v float64) float64 { return math.Round(v*1e7) / 1e7 }
