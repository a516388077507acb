package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/lafaekstreet/backend/shared/ledger"
)

// reports compares each accepted report with its row: there once, under the number that was told, and no other there.
func (a *Account) reports(ctx context.Context) error {
	type row struct{ ID, Number, ClientID, Status, AI, Ledger string }
	found, err := rows[row](ctx, a, `SELECT id::text, report_number, client_id::text, status, ai_status, blockchain_status FROM reports WHERE user_id = ANY($1::uuid[])`, a.users)
	if err != nil {
		return err
	}
	byClient, byNumber := map[string]row{}, map[string]int{}
	for _, r := range found {
		if _, twice := byClient[r.ClientID]; twice {
			a.Differs("client_id %s is there twice", r.ClientID)
		}
		byClient[r.ClientID] = r
		byNumber[r.Number]++
	}
	pictures := 0
	for _, e := range a.crowd.book.reports {
		r, there := byClient[e.clientID]
		delete(byClient, e.clientID)
		switch {
		case !there:
			a.Differs("report %s was accepted and is not there", e.number)
		case r.ID != e.id || r.Number != e.number || byNumber[e.number] != 1:
			a.Differs("report %s (%s) is there as %s (%s)", e.number, e.id, r.Number, r.ID)
		case r.Ledger != "confirmed":
			a.Differs("report %s is %s on the ledger", e.number, r.Ledger)
		case e.picture && r.AI != "completed":
			a.Differs("report %s has a picture, and AI left it %s", e.number, r.AI)
		}
		if e.picture {
			pictures++
		}
	}
	for _, r := range byClient {
		a.Differs("report %s is there and was never accepted", r.Number)
	}
	a.line(len(a.crowd.book.reports), fmt.Sprintf("reports accepted, %d with a picture; %d rows, %d numbers", pictures, len(found), len(byNumber)))
	gaps, err := rows[struct{ Last, Count int }](ctx, a, `SELECT n.last, (SELECT count(*)::int FROM reports) FROM report_numbers n`)
	if err != nil {
		return err
	}
	if len(gaps) == 1 && gaps[0].Last != gaps[0].Count {
		a.Differs("the last number is %d, and there are %d reports", gaps[0].Last, gaps[0].Count)
	}
	return nil
}

// histories compares the steps of each report with what was accepted, and with its events.
func (a *Account) histories(ctx context.Context) error {
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
	events, err := rows[event](ctx, a, `SELECT report_id::text, event_type, count(*)::int FROM ledger_events GROUP BY 1, 2`)
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
	moves := 0
	for _, e := range a.crowd.book.reports {
		want := []string{"citizen:  → pending"}
		if e.picture {
			want = append(want, "ai: pending → verified")
		}
		for _, m := range e.moves {
			want = append(want, "admin: "+m.from+" → "+m.to)
		}
		moves += len(e.moves)
		if got := steps[e.id]; !slices.Equal(got, want) {
			a.Differs("report %s went %q, accepted was %q", e.number, got, want)
		}
		verdicts := 0
		if e.picture {
			verdicts = 1
		}
		c := counted[e.id]
		if c["REPORT_SUBMITTED"] != 1 || c["STATUS_CHANGED"]+c["AI_VALIDATED"] < len(want)-1 || c["STATUS_CHANGED"] > len(want)-1 || c["AI_VALIDATED"] != verdicts {
			a.Differs("report %s has the events %v for %d steps", e.number, c, len(want))
		}
	}
	a.line(moves, "decisions of staff accepted, each one step of a report's history, in order")
	a.line(total, "events in the chains of these reports")
	return nil
}

func (a *Account) comments(ctx context.Context) error {
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
	for _, e := range a.crowd.book.reports {
		for clientID, author := range e.comments {
			accepted++
			if r := there[e.id+clientID]; r.Count != 1 || r.Author != author {
				a.Differs("a comment on %s is there %d times", e.number, r.Count)
			}
		}
	}
	if accepted != len(found) {
		a.Differs("%d comments were accepted, %d are there", accepted, len(found))
	}
	a.line(accepted, "comments accepted")
	return nil
}

// notifications: one for each thing that happened to a report, for its reporter.
func (a *Account) notifications(ctx context.Context) error {
	type row struct {
		Report, Type string
		Count        int
	}
	found, err := rows[row](ctx, a, `SELECT report_id::text, type, count(*)::int FROM notifications WHERE user_id = ANY($1::uuid[]) AND report_id IS NOT NULL GROUP BY 1, 2`, a.users)
	if err != nil {
		return err
	}
	told := map[string]map[string]int{}
	total := 0
	for _, r := range found {
		if told[r.Report] == nil {
			told[r.Report] = map[string]int{}
		}
		told[r.Report][r.Type] = r.Count
		total += r.Count
	}
	for _, e := range a.crowd.book.reports {
		want := map[string]int{"report_received": 1, "blockchain_confirmed": 1}
		if e.picture {
			want["report_verified"]++
		}
		for _, m := range e.moves {
			switch m.to {
			case "verified", "rejected", "fixed":
				want["report_"+m.to]++
			default:
				want["report_status_changed"]++
			}
		}
		for _, author := range e.comments {
			if author != e.owner {
				want["comment_added"]++
			}
		}
		got := told[e.id]
		same := len(got) == len(want)
		for t, n := range want {
			same = same && got[t] == n
		}
		if !same {
			a.Differs("report %s: its reporter was told %v, and should have been %v", e.number, got, want)
		}
	}
	a.line(total, "notifications, one for each thing that happened")
	sent, unknown := 0, 0
	deliveries, err := rows[struct {
		Channel, State string
		Count          int
	}](ctx, a, `SELECT channel, state, count(*)::int FROM notification_deliveries GROUP BY 1, 2 ORDER BY 1, 2`)
	if err != nil {
		return err
	}
	for _, d := range deliveries {
		a.line(d.Count, "deliveries by "+d.Channel+": "+d.State)
		if d.State == "failed" {
			a.Differs("%d deliveries by %s failed", d.Count, d.Channel)
		}
		if d.Channel == "mail" && d.State == "sent" {
			sent = d.Count
		}
		if d.Channel == "mail" && d.State == "unknown" { // cut off in the middle: it may or may not have gone out, and does not go twice
			unknown = d.Count
		}
	}
	forgotten, err := rows[struct{ Count int }](ctx, a, `SELECT count(*)::int FROM notifications n WHERE user_id = ANY($1::uuid[]) AND type <> 'blockchain_confirmed'
		AND NOT EXISTS (SELECT FROM notification_deliveries d WHERE d.notification_id = n.id AND d.channel = 'mail')`, a.users)
	if err != nil {
		return err
	}
	if n := forgotten[0].Count; n > 0 { // only the ledger's word is for the list alone
		a.Differs("%d notifications never came to be mailed", n)
	}
	return a.mails(sent, unknown)
}

// mails compares the mails that arrived with those known to be sent.
func (a *Account) mails(sent, unknown int) error {
	if a.Mails == nil {
		return nil
	}
	arrived, err := a.Mails()
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	if arrived < sent || arrived > sent+unknown {
		a.Differs("%d mails about reports arrived, %d were sent and %d may have been", arrived, sent, unknown)
	}
	a.line(arrived, "mails about reports arrived")
	return nil
}

// messages reads both topics from the mirror node: each submission is there once, and nothing else of ours.
func (a *Account) messages(ctx context.Context) error {
	mirror := ledger.NewMirror(a.ledger)
	onMirror := map[string]int{}
	total := 0
	for _, topic := range []string{a.ledger.TopicReports, a.ledger.TopicStatus} {
		for next := uint64(1); ; {
			page, err := mirror.Messages(ctx, topic, next, 100)
			if err != nil {
				return fmt.Errorf("account: %w", err)
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
	}
	submissions, err := rows[struct {
		Message []byte
		State   string
		Events  int
	}](ctx, a, `SELECT s.message, s.state, (SELECT count(*)::int FROM ledger_anchors a WHERE a.submission_id = s.id) FROM ledger_submissions s`)
	if err != nil {
		return err
	}
	events := 0
	for _, s := range submissions {
		events += s.Events
		if n := onMirror[string(s.Message)]; n != 1 || s.State != "confirmed" {
			a.Differs("a %s message is %d times at the mirror: %.120s", s.State, n, s.Message)
		}
	}
	if total != len(submissions) {
		a.Differs("%d messages are at the mirror, %d were to be", total, len(submissions))
	}
	a.line(total, fmt.Sprintf("messages at the mirror node for %d events, none twice", events))
	return nil
}

// leftOver looks for what no later delivery will mend.
func (a *Account) leftOver(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.crowd.url+"/_local/queues", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	var queues []struct {
		Name         string   `json:"name"`
		Visible      int      `json:"visible"`
		InFlight     int      `json:"in_flight"`
		Delayed      int      `json:"delayed"`
		DeadLetterOf []string `json:"dead_letter_of"`
	}
	if err := json.NewDecoder(res.Body).Decode(&queues); err != nil {
		return fmt.Errorf("account: queues: %w", err)
	}
	dead := 0
	for _, q := range queues {
		if n := q.Visible + q.InFlight + q.Delayed; len(q.DeadLetterOf) > 0 && n > 0 {
			dead += n
			a.Differs("%d dead letters in %s", n, q.Name)
		}
	}
	a.line(dead, "dead letters")
	return nil
}
