package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/google/uuid"
)

func (d *Crowd) comment(ctx context.Context, who *client, random *rand.Rand) {
	e := d.book.any(random)
	if e == nil {
		return
	}
	clientID := uuid.NewString()
	r := asJSON("comment", http.MethodPost, "/reports/"+e.id+"/comments", map[string]any{"content": "I saw it too.", "client_id": clientID})
	r.key, r.impatient = uuid.NewString(), random.IntN(5) == 0
	a, err := who.persist(ctx, r)
	if err != nil {
		return
	}
	switch a.status {
	case http.StatusCreated, http.StatusOK:
		d.book.mu.Lock()
		e.comments[clientID] = who.id
		d.book.mu.Unlock()
		d.book.accept()
	case http.StatusNotFound: // rejected: its reporter and staff alone see it
	default:
		d.book.refused("comment: %d %.300s", a.status, a.raw)
	}
}

// decide moves a report on as staff would. Only one person decides about a report at a time, so what is accepted is in order.
func (d *Crowd) decide(ctx context.Context, _ *client, random *rand.Rand) {
	e := d.book.any(random)
	if e == nil || !e.mu.TryLock() {
		return
	}
	defer e.mu.Unlock()
	before, err := d.seen(ctx, e)
	if err != nil {
		return
	}
	from := before.text("status")
	to := next(from, e.picture, random)
	if to == "" {
		return
	}
	body := map[string]any{"status": to, "note": "Seen on the spot."}
	if random.IntN(2) == 0 {
		body["expected_version"] = before.body["version"]
	}
	r := asJSON("status", http.MethodPost, "/reports/"+e.id+"/status", body)
	r.impatient = random.IntN(4) == 0
	a, err := d.staff.persist(ctx, r)
	if err != nil {
		return
	}
	switch a.status {
	case http.StatusOK:
		e.moves = append(e.moves, move{from, to})
		d.book.accept()
	case http.StatusConflict, http.StatusPreconditionFailed:
		// Either an answer of ours was lost, or somebody else was faster.
		after, err := d.seen(ctx, e)
		if err == nil && after.text("status") == to {
			e.moves = append(e.moves, move{from, to})
		} else if err == nil && after.text("status") != from {
			d.book.refused("report %s went from %s to %s, not to %s", e.number, from, after.text("status"), to)
		}
	default:
		d.book.refused("status: %d %.300s", a.status, a.raw)
	}
}

func (d *Crowd) seen(ctx context.Context, e *entry) (answer, error) {
	a, err := d.staff.persist(ctx, request{kind: "staff reads", method: http.MethodGet, path: "/reports/" + e.id})
	if err == nil && a.status != http.StatusOK {
		d.book.refused("report %s: %d %.300s", e.number, a.status, a.raw)
		err = fmt.Errorf("status %d", a.status)
	}
	return a, err
}

// next is where staff take a report; what AI is to judge they leave to it.
func next(from string, picture bool, random *rand.Rand) string {
	options := map[string][]string{
		"verified": {"in_progress"}, "in_progress": {"fixed", "fixed", "verified"}, "fixed": {"in_progress", ""}, "rejected": {"pending", ""},
	}[from]
	if from == "pending" && !picture {
		options = []string{"verified", "verified", "rejected"}
	}
	if len(options) == 0 {
		return ""
	}
	return options[random.IntN(len(options))]
}

// read looks at something, as most people do most of the time.
func (d *Crowd) read(ctx context.Context, who *client, random *rand.Rand) {
	e := d.book.any(random)
	if e == nil {
		return
	}
	paths := []struct{ kind, path string }{
		{"list", "/reports?page_size=20"}, {"list", "/reports/my-reports"}, {"near", "/reports/nearby?latitude=-8.55&longitude=125.57&radius=5"},
		{"detail", "/reports/" + e.id}, {"notifications", "/notifications?unread_only=true"}, {"statistics", "/reports/stats/summary"},
		{"map", "/public/map?bbox=125.3,-8.8,126.5,-8.4&zoom=9"}, {"ledger", "/blockchain/report/" + e.id + "/history"}, {"staff queue", ""},
	}
	p := paths[random.IntN(len(paths))]
	by := who
	if p.kind == "staff queue" {
		by, p.path = d.staff, "/staff/queue?kind=needs_review"
	}
	a, _, err := by.attempt(ctx, request{kind: p.kind, method: http.MethodGet, path: p.path}, false)
	if err == nil && a.status != http.StatusOK && a.status != http.StatusServiceUnavailable && a.status != http.StatusNotFound {
		d.book.refused("%s: %d %.300s", p.kind, a.status, a.raw)
	}
}
