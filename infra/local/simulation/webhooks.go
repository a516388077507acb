package simulation

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// AddWebhook has the administrator add a webhook for all events, whose receiver is on this machine. The caller closes the
// receiver. Call it before the first action.
func (s *Simulation) AddWebhook(ctx context.Context, seed uint64) (*Receiver, error) {
	r, err := newReceiver(ctx, seed)
	if err != nil {
		return nil, err
	}
	body := map[string]any{"url": r.url, "events": []string{"report.created", "report.verified", "report.status_changed", "report.assigned",
		"report.removed", "report.disputed", "comment.added"}}
	a, err := s.staff.must(ctx, post("webhook", "/admin/webhooks", body), http.StatusCreated)
	if err == nil {
		r.secret, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(a.Object().Text("secret"), "whsec_"))
	}
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("webhook: %w", err)
	}
	s.receiver = r
	return r, nil
}

// moves are the calls about a report that are neither comments nor assignments, in order: type and status.
func (e *acceptedReport) moves() []string {
	out := []string{"report.created pending"}
	if e.picture {
		out = append(out, "report.verified verified")
	}
	for _, m := range e.changes {
		switch m.to {
		case "verified":
			out = append(out, "report.verified verified")
		case "rejected":
			out = append(out, "report.removed ")
		default:
			out = append(out, "report.status_changed "+m.to)
		}
	}
	return out
}

// webhooks compares the calls that the receiver accepted with the accepted writes: each event came at least once, those of one
// report in order, and nothing else came.
func (a *Reconciliation) webhooks(ctx context.Context) error {
	r := a.simulation.receiver
	if r == nil {
		return nil
	}
	if err := a.webhookRows(ctx); err != nil {
		return err
	}
	assigned, err := a.assignments(ctx)
	if err != nil {
		return err
	}
	public, own, err := a.commentsByReport(ctx)
	if err != nil {
		return err
	}
	moves, got := map[string][]string{}, map[string][]string{} // got has the comments
	for _, c := range r.calls {
		switch c.event {
		case "comment.added":
			got[c.report] = append(got[c.report], c.comment)
		case "report.assigned":
			assigned[c.report]--
		default:
			moves[c.report] = append(moves[c.report], c.event+" "+c.status)
		}
	}
	for _, e := range a.simulation.accepted.reports {
		if want := e.moves(); !slices.Equal(moves[e.id], want) {
			a.AddDifference("the receiver was told of report %s %q, want %q", e.number, moves[e.id], want)
		}
		if n := assigned[e.id]; n != 0 {
			a.AddDifference("the receiver misses %d assignments of report %s", n, e.number)
		}
		for _, id := range public[e.id] {
			if !slices.Contains(got[e.id], id) {
				a.AddDifference("the receiver misses a comment on %s", e.number)
			}
		}
		for i, id := range got[e.id] {
			if slices.Contains(got[e.id][:i], id) || !slices.Contains(public[e.id], id) && !slices.Contains(own[e.id], id) {
				a.AddDifference("the receiver was told of comment %s on %s, which is another event's or none", id, e.number)
			}
		}
		delete(moves, e.id)
		delete(assigned, e.id)
		delete(got, e.id)
	}
	for id := range moves {
		a.AddDifference("the receiver was told of report %s, which was never accepted", id)
	}
	if len(assigned)+len(got) > 0 {
		a.AddDifference("the receiver was told of comments and assignments of %d reports that were never accepted", len(assigned)+len(got))
	}
	for _, f := range r.faults {
		a.AddDifference("%s", f)
	}
	a.line(len(r.calls), fmt.Sprintf("calls of the webhook, %d of them again; %d were refused", r.repeats, r.refused))
	return nil
}

// webhookRows compares the stored calls with those that the receiver accepted. None waits or is given up.
func (a *Reconciliation) webhookRows(ctx context.Context) error {
	found, err := rows[struct{ ID, State string }](ctx, a, `SELECT d.id::text, d.state FROM webhook_deliveries d
		JOIN webhooks w ON w.id = d.webhook_id WHERE w.url = $1`, a.simulation.receiver.url)
	if err != nil {
		return err
	}
	stored := map[string]bool{}
	for _, d := range found {
		stored[d.ID] = true
		if _, came := a.simulation.receiver.bodies[d.ID]; d.State != "delivered" || !came {
			a.AddDifference("the call %s is %s; the receiver has it: %v", d.ID, d.State, came)
		}
	}
	for id := range a.simulation.receiver.bodies {
		if !stored[id] {
			a.AddDifference("the call %s came, and is not stored", id)
		}
	}
	return nil
}

// assignments counts the assignments of each report.
func (a *Reconciliation) assignments(ctx context.Context) (map[string]int, error) {
	found, err := rows[struct {
		Report string
		Count  int
	}](ctx, a, `SELECT report_id::text, count(*)::int FROM ledger_events WHERE event_type = 'ASSIGNED' GROUP BY 1`)
	out := map[string]int{}
	for _, r := range found {
		out[r.Report] = r.Count
	}
	return out, err
}

// commentsByReport has the ids of the comments by report: those of others, which everybody may read, and those of the
// reporter. A comment of the reporter before the verdict is sent to no receiver.
func (a *Reconciliation) commentsByReport(ctx context.Context) (map[string][]string, map[string][]string, error) {
	found, err := rows[struct {
		ID, Report string
		Own        bool
	}](ctx, a, `SELECT c.id::text, r.id::text, c.author_id = r.user_id FROM report_comments c JOIN reports r ON r.id = c.report_id`)
	public, own := map[string][]string{}, map[string][]string{}
	for _, c := range found {
		if c.Own {
			own[c.Report] = append(own[c.Report], c.ID)
		} else {
			public[c.Report] = append(public[c.Report], c.ID)
		}
	}
	return public, own, err
}
