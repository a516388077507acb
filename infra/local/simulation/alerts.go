package simulation

import (
	"context"
	"fmt"
	"net/http"
)

// AddAlerts has half of the citizens ask to be told of reports at two places; every other one of them only of what was fixed.
func (s *Simulation) AddAlerts(ctx context.Context) error {
	s.accepted.alerts = map[string]string{}
	for i, u := range s.citizens {
		if i%2 == 1 {
			continue
		}
		for _, longitude := range []float64{125.55, 125.95} {
			body := map[string]any{"latitude": -8.62, "longitude": longitude, "radius_meters": 20000}
			if i%4 == 2 {
				body["events"] = []string{"fixed"}
			}
			a, err := u.must(ctx, post("alert", "/alerts", body), http.StatusCreated, http.StatusOK)
			if err != nil {
				return fmt.Errorf("alert: %w", err)
			}
			s.accepted.alerts[a.Object().Text("id")] = u.id
		}
	}
	return nil
}

// verified reports whether the report ever got the verdict that alerts tell of.
func (e *acceptedReport) verified() bool {
	for _, m := range e.changes {
		if m.to == "verified" {
			return true
		}
	}
	return e.picture
}

// fixed reports whether the report was ever fixed, and whether it is now.
func (e *acceptedReport) fixed() (bool, bool) {
	ever, now := false, false
	for _, m := range e.changes {
		now = m.to == "fixed"
		ever = ever || now
	}
	return ever, now
}

// told is something that a person is told of a report.
type told struct{ user, report, event string }

// alerts checks that each person with an alert was told once of each report at their place, and of nothing else.
func (a *Reconciliation) alerts(ctx context.Context) error {
	s := a.simulation.accepted
	stored, err := rows[struct{ ID, User string }](ctx, a, `SELECT id::text, user_id::text FROM alerts WHERE user_id = ANY($1::uuid[])`, a.users)
	if err != nil {
		return err
	}
	same := 0
	for _, l := range stored {
		if s.alerts[l.ID] == l.User {
			same++
		}
	}
	if same != len(s.alerts) || same != len(stored) {
		a.AddDifference("%d alerts were accepted, %d exist, %d of them as accepted", len(s.alerts), len(stored), same)
	}
	must, may, err := a.dueAlerts(ctx)
	if err != nil {
		return err
	}
	found, err := rows[struct {
		User, Report, Event string
		Count               int
	}](ctx, a, `SELECT user_id::text, report_id::text, CASE WHEN params ->> 'status' = 'fixed' THEN 'fixed' ELSE 'new' END, count(*)::int
		FROM notifications WHERE type = 'alert' AND user_id = ANY($1::uuid[]) GROUP BY 1, 2, 3`, a.users)
	if err != nil {
		return err
	}
	for _, n := range found {
		key := told{n.User, n.Report, n.Event}
		if n.Count != 1 || !must[key] && !may[key] {
			a.AddDifference("a person was told %d times of report %s: %s", n.Count, n.Report, n.Event)
		}
		delete(must, key)
	}
	for key := range must {
		a.AddDifference("a person was not told of report %s: %s", key.report, key.event)
	}
	a.line(len(found), fmt.Sprintf("reports told to people with one of %d alerts", len(stored)))
	return nil
}

// dueAlerts has what people must be told, and what they may be told: a report that was fixed for a while only may be in time.
func (a *Reconciliation) dueAlerts(ctx context.Context) (map[told]bool, map[told]bool, error) {
	near, err := rows[struct {
		User, Report string
		New          bool
	}](ctx, a, `SELECT a.user_id::text, r.id::text, bool_or('new' = ANY(a.events)) FROM alerts a
		JOIN reports r ON ST_DWithin(ST_SetSRID(ST_MakePoint(a.longitude, a.latitude), 4326)::geography, r.position, a.radius_meters) AND r.user_id <> a.user_id
		WHERE a.user_id = ANY($1::uuid[]) GROUP BY 1, 2`, a.users)
	if err != nil {
		return nil, nil, err
	}
	accepted := map[string]*acceptedReport{}
	for _, e := range a.simulation.accepted.reports {
		accepted[e.id] = e
	}
	must, may := map[told]bool{}, map[told]bool{}
	for _, n := range near {
		e := accepted[n.Report]
		if e == nil {
			continue
		}
		if n.New && e.verified() {
			must[told{n.User, n.Report, "new"}] = true
		}
		if ever, now := e.fixed(); now {
			must[told{n.User, n.Report, "fixed"}] = true
		} else if ever {
			may[told{n.User, n.Report, "fixed"}] = true
		}
	}
	return must, may, nil
}
