package simulation

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/shared/ledger"
)

// reports compares the accepted reports with the rows: each exists once, with its number, and no other exists.
func (a *Reconciliation) reports(ctx context.Context) error {
	type row struct{ ID, Number, ClientID, Status, AI, Ledger string }
	found, err := rows[row](ctx, a, `SELECT id::text, report_number, client_id::text, status, ai_status, blockchain_status FROM reports WHERE user_id = ANY($1::uuid[])`, a.users)
	if err != nil {
		return err
	}
	byClient, byNumber := map[string]row{}, map[string]int{}
	for _, r := range found {
		if _, twice := byClient[r.ClientID]; twice {
			a.AddDifference("client_id %s exists twice", r.ClientID)
		}
		byClient[r.ClientID] = r
		byNumber[r.Number]++
	}
	pictures := 0
	for _, e := range a.simulation.accepted.reports {
		r, there := byClient[e.clientID]
		delete(byClient, e.clientID)
		switch {
		case !there:
			a.AddDifference("report %s was accepted and does not exist", e.number)
		case r.ID != e.id || r.Number != e.number || byNumber[e.number] != 1:
			a.AddDifference("report %s (%s) exists as %s (%s)", e.number, e.id, r.Number, r.ID)
		case r.Ledger != "confirmed":
			a.AddDifference("report %s has ledger status %s", e.number, r.Ledger)
		case e.picture && r.AI != "completed":
			a.AddDifference("report %s has a picture and AI status %s", e.number, r.AI)
		}
		if e.picture {
			pictures++
		}
	}
	for _, r := range byClient {
		a.AddDifference("report %s exists and was never accepted", r.Number)
	}
	a.line(len(a.simulation.accepted.reports), fmt.Sprintf("reports accepted, %d with a picture; %d rows, %d numbers", pictures, len(found), len(byNumber)))
	gaps, err := rows[struct{ Last, Count int }](ctx, a, `SELECT n.last, (SELECT count(*)::int FROM reports) FROM report_numbers n`)
	if err != nil {
		return err
	}
	if len(gaps) == 1 && gaps[0].Last != gaps[0].Count {
		a.AddDifference("the last number is %d, but %d reports exist", gaps[0].Last, gaps[0].Count)
	}
	return nil
}

// histories compares the history of each report with the accepted changes, and with its ledger events.
func (a *Reconciliation) histories(ctx context.Context) error {
	type row struct {
		Report, From, To, Kind string
	}
	found, err := rows[row](ctx, a, `SELECT h.report_id::text, coalesce(h.old_status, ''), h.new_status, h.actor_kind
		FROM report_status_history h JOIN reports r ON r.id = h.report_id WHERE r.user_id = ANY($1::uuid[]) ORDER BY h.report_id, h.created_at, h.id`, a.users)
	if err != nil {
		return err
	}
	steps := map[string][]string{}
	for _, r := range found {
		steps[r.Report] = append(steps[r.Report], r.Kind+": "+r.From+" → "+r.To)
	}
	type event struct {
		Report, Type string
		Count        int
	}
	events, err := rows[event](ctx, a, `SELECT report_id::text, event_type, count(*)::int FROM ledger_events WHERE report_id IS NOT NULL GROUP BY 1, 2`)
	if err != nil {
		return err
	}
	counted := map[string]map[string]int{}
	total := 0
	for _, e := range events {
		if counted[e.Report] == nil {
			counted[e.Report] = map[string]int{}
		}
		counted[e.Report][e.Type] = e.Count
		total += e.Count
	}
	changes := 0
	for _, e := range a.simulation.accepted.reports {
		want := []string{"citizen:  → pending"}
		if e.picture {
			want = append(want, "ai: pending → verified")
		}
		for _, m := range e.changes {
			want = append(want, "admin: "+m.from+" → "+m.to)
		}
		changes += len(e.changes)
		if got := steps[e.id]; !slices.Equal(got, want) {
			a.AddDifference("report %s has the history %q, want %q", e.number, got, want)
		}
		verdicts := 0
		if e.picture {
			verdicts = 1
		}
		c := counted[e.id]
		if c["REPORT_SUBMITTED"] != 1 || c["STATUS_CHANGED"]+c["AI_VALIDATED"] < len(want)-1 || c["STATUS_CHANGED"] > len(want)-1 || c["AI_VALIDATED"] != verdicts {
			a.AddDifference("report %s has the events %v for %d history entries", e.number, c, len(want))
		}
	}
	a.line(changes, "status changes by staff accepted, each one history entry, in order")
	a.line(total, "ledger events of all reports")
	return nil
}

// comments compares the accepted comments with the rows.
func (a *Reconciliation) comments(ctx context.Context) error {
	type row struct {
		Report, ClientID, Author string
		Count                    int
	}
	found, err := rows[row](ctx, a, `SELECT report_id::text, client_id::text, author_id::text, count(*)::int FROM report_comments GROUP BY 1, 2, 3`)
	if err != nil {
		return err
	}
	there := map[string]row{}
	for _, r := range found {
		there[r.Report+r.ClientID] = r
	}
	accepted := 0
	for _, e := range a.simulation.accepted.reports {
		for clientID, author := range e.comments {
			accepted++
			if r := there[e.id+clientID]; r.Count != 1 || r.Author != author {
				a.AddDifference("a comment on %s exists %d times", e.number, r.Count)
			}
		}
	}
	if accepted != len(found) {
		a.AddDifference("%d comments were accepted, %d exist", accepted, len(found))
	}
	a.line(accepted, "comments accepted")
	return nil
}

// notifications checks that the reporter has one notification for each event of a report, and that each is delivered.
func (a *Reconciliation) notifications(ctx context.Context) error {
	type row struct {
		Report, Type string
		Count        int
	}
	found, err := rows[row](ctx, a, `SELECT report_id::text, type, count(*)::int FROM notifications WHERE user_id = ANY($1::uuid[]) AND report_id IS NOT NULL AND type <> 'alert' GROUP BY 1, 2`, a.users)
	if err != nil {
		return err
	}
	stored := map[string]map[string]int{} // by report and type
	total := 0
	for _, r := range found {
		if stored[r.Report] == nil {
			stored[r.Report] = map[string]int{}
		}
		stored[r.Report][r.Type] = r.Count
		total += r.Count
	}
	for _, e := range a.simulation.accepted.reports {
		if want := e.notifications(); !maps.Equal(stored[e.id], want) {
			a.AddDifference("report %s has the notifications %v, want %v", e.number, stored[e.id], want)
		}
	}
	a.line(total, "notifications, one for each event")
	return a.deliveries(ctx)
}

// notifications counts by type the notifications that the reporter must have.
func (e *acceptedReport) notifications() map[string]int {
	out := map[string]int{"report_received": 1, "blockchain_confirmed": 1}
	if e.picture {
		out["report_verified"]++
	}
	for _, m := range e.changes {
		switch m.to {
		case "verified", "rejected", "fixed":
			out["report_"+m.to]++
		default:
			out["report_status_changed"]++
		}
	}
	for _, author := range e.comments {
		if author != e.owner {
			out["comment_added"]++
		}
	}
	return out
}

// deliveries checks that every notification is delivered by mail, and that no delivery failed.
func (a *Reconciliation) deliveries(ctx context.Context) error {
	sent, unknown := 0, 0
	found, err := rows[struct {
		Channel, State string
		Count          int
	}](ctx, a, `SELECT channel, state, count(*)::int FROM notification_deliveries GROUP BY 1, 2 ORDER BY 1, 2`)
	if err != nil {
		return err
	}
	for _, d := range found {
		a.line(d.Count, "deliveries by "+d.Channel+": "+d.State)
		if d.State == "failed" {
			a.AddDifference("%d deliveries by %s failed", d.Count, d.Channel)
		}
		if d.Channel == "mail" && d.State == "sent" {
			sent = d.Count
		}
		if d.Channel == "mail" && d.State == "unknown" { // interrupted: it may have been sent, and is not repeated
			unknown = d.Count
		}
	}
	missing, err := rows[struct{ Count int }](ctx, a, `SELECT count(*)::int FROM notifications n WHERE user_id = ANY($1::uuid[]) AND type NOT IN ('blockchain_confirmed', 'alert')
		AND NOT EXISTS (SELECT FROM notification_deliveries d WHERE d.notification_id = n.id AND d.channel = 'mail')`, a.users)
	if err != nil {
		return err
	}
	if n := missing[0].Count; n > 0 { // the others are not mailed, or by the day
		a.AddDifference("%d notifications have no mail delivery", n)
	}
	return a.mails(sent, unknown)
}

// mails compares the number of mails that arrived with the deliveries.
func (a *Reconciliation) mails(sent, unknown int) error {
	if a.Mails == nil {
		return nil
	}
	arrived, err := a.Mails()
	if err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	arrived -= a.daily
	if arrived < sent || arrived > sent+unknown {
		a.AddDifference("%d mails about reports arrived, %d were sent, %d are unknown", arrived, sent, unknown)
	}
	a.line(arrived, "mails about reports arrived")
	return nil
}

// messages compares the log's messages with those of the topic at the mirror node.
func (a *Reconciliation) messages(ctx context.Context) error {
	mirror := ledger.NewMirror(a.ledger)
	onMirror := map[string]int{}
	total := 0
	for next := uint64(1); ; {
		page, err := mirror.Messages(ctx, a.ledger.TopicReports, next, 100)
		if err != nil {
			return fmt.Errorf("reconcile: %w", err)
		}
		for _, m := range page {
			onMirror[string(m.Contents)]++
			next = m.Sequence + 1
			total++
		}
		if len(page) < 100 {
			break
		}
	}
	messages, err := rows[struct {
		Message []byte
		State   string
		Size    int64
	}](ctx, a, `SELECT message, state, size FROM log_messages ORDER BY id`)
	if err != nil {
		return err
	}
	covered := int64(0)
	for _, m := range messages {
		covered = m.Size
		if n := onMirror[string(m.Message)]; n != 1 || m.State != "confirmed" {
			a.AddDifference("a %s message is at the mirror %d times: %.120s", m.State, n, m.Message)
		}
	}
	if total != len(messages) {
		a.AddDifference("%d messages are at the mirror, want %d", total, len(messages))
	}
	a.line(total, fmt.Sprintf("messages at the mirror node for %d events", covered))
	return nil
}

// deadLetters counts the messages in dead-letter queues; no delivery repeats them.
func (a *Reconciliation) deadLetters(ctx context.Context) error {
	var queues []struct {
		Name         string   `json:"name"`
		Visible      int      `json:"visible"`
		InFlight     int      `json:"in_flight"`
		Delayed      int      `json:"delayed"`
		DeadLetterOf []string `json:"dead_letter_of"`
	}
	if err := (apiclient.Client{URL: a.simulation.url}).Call(ctx, apiclient.Request{Path: "//_local/queues"}, &queues); err != nil {
		return fmt.Errorf("reconcile: queues: %w", err)
	}
	dead := 0
	for _, q := range queues {
		if n := q.Visible + q.InFlight + q.Delayed; len(q.DeadLetterOf) > 0 && n > 0 {
			dead += n
			a.AddDifference("%d dead letters in %s", n, q.Name)
		}
	}
	a.line(dead, "dead letters")
	return nil
}
