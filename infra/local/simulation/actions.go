package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

func (s *Simulation) comment(ctx context.Context, who *user, random *rand.Rand) {
	e := s.accepted.any(random)
	if e == nil {
		return
	}
	clientID := uuid.NewString()
	r := post("comment", "/reports/"+e.id+"/comments", map[string]any{"content": "I saw it too.", "client_id": clientID})
	r = r.withKey(uuid.NewString())
	r.aborted = random.IntN(5) == 0
	a, err := who.persist(ctx, r)
	if err != nil {
		return
	}
	switch a.Status {
	case http.StatusCreated, http.StatusOK:
		s.accepted.mu.Lock()
		e.comments[clientID] = who.id
		s.accepted.mu.Unlock()
		s.accepted.add()
	case http.StatusGone: // rejected: only its reporter and staff see it
	case http.StatusConflict:
		if code := a.Object().Text("code"); code != "awaiting_verdict" { // others comment after the verdict alone
			s.accepted.refused("comment: 409 %s", code)
		}
	default:
		s.accepted.refused("comment: %d %.300s", a.Status, a.Body)
	}
}

// changeStatus changes the status of a report as staff. Only one user does so for a report at a time, so the accepted
// changes are in order.
func (s *Simulation) changeStatus(ctx context.Context, _ *user, random *rand.Rand) {
	e := s.accepted.any(random)
	if e == nil || !e.mu.TryLock() {
		return
	}
	defer e.mu.Unlock()
	before, err := s.reportOf(ctx, e)
	if err != nil {
		return
	}
	from := before.Object().Text("status")
	to := next(from, e.picture, random)
	if to == "" {
		return
	}
	body := map[string]any{"status": to, "note": "Seen on the spot.", "reason_code": "irrelevant"} // the reason of a rejection
	if random.IntN(2) == 0 {
		body["expected_version"] = before.Object().Values["version"]
	}
	r := post("status", "/reports/"+e.id+"/status", body)
	r.aborted = random.IntN(4) == 0
	a, err := s.staff.persist(ctx, r)
	if err != nil {
		return
	}
	switch a.Status {
	case http.StatusOK:
		e.changes = append(e.changes, statusChange{from, to})
		s.accepted.add()
		s.accepted.keepOf("status of "+e.number, a)
	case http.StatusConflict, http.StatusPreconditionFailed:
		// An earlier response was lost, or the AI changed the status meanwhile.
		after, err := s.reportOf(ctx, e)
		if err == nil && after.Object().Text("status") == to {
			e.changes = append(e.changes, statusChange{from, to})
		} else if err == nil && after.Object().Text("status") != from {
			s.accepted.refused("report %s went from %s to %s, not to %s", e.number, from, after.Object().Text("status"), to)
		}
	default:
		s.accepted.refused("status: %d %.300s", a.Status, a.Body)
	}
}

// reportOf reads a report as staff.
func (s *Simulation) reportOf(ctx context.Context, e *acceptedReport) (apiclient.Response, error) {
	a, err := s.staff.persist(ctx, get("staff reads", "/reports/"+e.id))
	if err == nil && a.Status != http.StatusOK {
		s.accepted.refused("report %s: %d %.300s", e.number, a.Status, a.Body)
		err = fmt.Errorf("status %d", a.Status)
	}
	return a, err
}

// next is a status that staff give a report, or empty. A pending report with a picture is left to the AI.
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

// read reads a random resource.
func (s *Simulation) read(ctx context.Context, who *user, random *rand.Rand) {
	e := s.accepted.any(random)
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
		by, p.path = s.staff, "/staff/queue?kind=needs_review"
	}
	a, _, err := by.attempt(ctx, get(p.kind, p.path), false)
	if err == nil && a.Status != http.StatusOK && a.Status != http.StatusServiceUnavailable && a.Status != http.StatusGone {
		s.accepted.refused("%s: %d %.300s", p.kind, a.Status, a.Body)
	}
}
