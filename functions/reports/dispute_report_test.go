package reports_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// repair is a system with a report whose agency works on it.
type repair struct {
	*testenv.System
	t                           *testing.T
	author, confirmer, official *testenv.Client
	id                          string
}

// newRepair is a repair under settings, as JSON; none for the default ones.
func newRepair(t *testing.T, settings ...string) *repair {
	t.Helper()
	w := setup(t)
	for _, value := range settings {
		w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', $1::jsonb)`, value)
	}
	r := &repair{System: w, t: t, author: w.Citizen(), confirmer: w.Citizen(), official: w.Staff(identity.Official, w.Agency("OP"))}
	r.id = filed(w, r.author, "pending")
	r.move("in_progress", "")
	r.confirmer.Post(r.path("/confirm"), nil).Want(http.StatusOK)
	return r
}

func (r *repair) path(rest string) string { return "/reports/" + r.id + rest }

// move moves the report on by its official.
func (r *repair) move(to, note string) {
	r.t.Helper()
	if to == "in_progress" && r.Text(`SELECT status FROM reports WHERE id = $1`, r.id) == "pending" {
		r.official.Post(r.path("/status"), object{"status": "verified"}).Want(http.StatusOK)
	}
	r.official.Post(r.path("/status"), object{"status": to, "note": note}).Want(http.StatusOK)
}

func (r *repair) fix() { r.move("fixed", "Filled") }

func TestDispute(t *testing.T) {
	t.Parallel()
	r := newRepair(t)
	follower := r.Citizen()
	follower.Post(r.path("/follow"), nil).Want(http.StatusOK)
	r.fix()
	r.Exec(`UPDATE reports SET due_at = now() - interval '3 days', overdue_told = 1 WHERE id = $1`, r.id)
	events := r.Int(`SELECT count(*) FROM ledger_events WHERE report_id = $1`, r.id)
	got := r.author.With("Idempotency-Key", "k").Post(r.path("/dispute"), object{"note": " Open again. "}).Want(http.StatusOK)
	o := got.Object()
	steps := o.Items("status_history")
	last := steps[len(steps)-1]
	if o.Text("status") != "in_progress" || o.At("resolved_at") != nil || o.Text("due_at") == "" || o.Text("assigned_agency.code") != "OP" {
		t.Errorf("got %v", o.Values)
	}
	if last.Text("old_status") != "fixed" || last.Text("new_status") != "in_progress" || last.Text("changed_by") != "citizen" || last.At("note") != nil {
		t.Errorf("the step is %v", last.Values)
	}
	if payload := o.Text("receipt.payload"); !strings.Contains(payload, `"event":"DISPUTED"`) || !strings.Contains(payload, `"old_status":"fixed"`) || strings.Contains(payload, "on_behalf_of") {
		t.Errorf("the receipt is of %s", payload)
	}
	if again := r.author.With("Idempotency-Key", "k").Post(r.path("/dispute"), object{"note": " Open again. "}).Want(http.StatusOK); string(again.Body) != string(got.Body) {
		t.Errorf("the same key: %s\nwant %s", again.Body, got.Body)
	}
	for sql, want := range map[string]int{
		`SELECT count(*) - ` + fmt.Sprint(events) + ` FROM ledger_events WHERE report_id = $1`:                                                                         2,
		`SELECT count(*) FROM report_comments WHERE report_id = $1 AND content = 'Open again.'`:                                                                        1,
		`SELECT count(*) FROM report_disputes d JOIN report_comments c ON c.id = d.comment_id WHERE d.report_id = $1 AND d.user_id = c.author_id AND NOT on_behalf_of`: 1,
		`SELECT fixed_reports_count FROM users u JOIN reports r ON r.user_id = u.id WHERE r.id = $1`:                                                                   0,
		`SELECT count(*) FROM reports WHERE id = $1 AND disputed_at IS NOT NULL AND overdue_told = 0 AND due_at > now() + interval '10 days'`:                          1,
		`SELECT count(*) FROM audit_log WHERE action = 'report.dispute' AND entity_id = $1::text`:                                                                      1,
		`SELECT count(*) FROM outbox WHERE queue = 'notify' AND body #>> '{staff,event}' = 'disputed' AND body #>> '{staff,items,0,report_id}' = $1::text`:             1,
		`SELECT count(*) FROM notifications WHERE report_id = $1 AND type = 'report_disputed'`:                                                                         2,
		`SELECT count(*) FROM notifications WHERE report_id = $1 AND type = 'comment_added' AND params ->> 'comment' = 'Open again.'`:                                  2,
	} {
		if got := r.Int(sql, r.id); got != want {
			t.Errorf("%s: %d, want %d", sql, got, want)
		}
	}
	for _, c := range []*testenv.Client{follower, r.confirmer} {
		if n := r.Int(`SELECT count(*) FROM notifications WHERE user_id = $1 AND type = 'report_disputed'`, c.ID); n != 1 {
			t.Errorf("a follower was told %d times", n)
		}
	}
	holds(t, r.System, r.id)
	// It is fixed again, and counts again.
	r.fix()
	if n := r.Int(`SELECT fixed_reports_count FROM users WHERE id = $1`, r.author.ID); n != 1 {
		t.Errorf("%d fixed reports, want 1", n)
	}
	holds(t, r.System, r.id)
}

// A stored answer has the words of the report. It is empty once others do not see them any more.
func TestAStoredAnswerHidesWithTheReport(t *testing.T) {
	t.Parallel()
	for name, hide := range map[string]func(r *repair, mod *testenv.Client){
		"words": func(r *repair, mod *testenv.Client) {
			mod.Post(r.path("/hide"), object{"reason_code": "offensive"}).Want(http.StatusOK)
		},
		"rejected": func(r *repair, mod *testenv.Client) {
			mod.Post(r.path("/status"), object{"status": "rejected", "reason_code": "offensive"}).Want(http.StatusOK)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRepair(t)
			r.fix()
			confirmer, author := r.confirmer.With("Idempotency-Key", "k"), r.author.With("Idempotency-Key", "a")
			first := confirmer.Post(r.path("/dispute"), object{"note": "Open again."}).Want(http.StatusOK)
			if again := confirmer.Post(r.path("/dispute"), object{"note": "Open again."}).Want(http.StatusOK); string(again.Body) != string(first.Body) {
				t.Errorf("before: %s", again.Body)
			}
			r.fix()
			author.Post(r.path("/dispute"), object{"note": "And again."}).Want(http.StatusOK)
			hide(r, r.Staff(identity.Moderator))
			confirmer.Post(r.path("/dispute"), object{"note": "Open again."}).WantProblem(http.StatusGone, "answer_erased")
			author.Post(r.path("/dispute"), object{"note": "And again."}).Want(http.StatusOK) // the reporter still sees it
			if n := r.Int(`SELECT count(*) FROM report_disputes WHERE report_id = $1`, r.id); n != 2 {
				t.Errorf("%d disputes", n)
			}
		})
	}
}

func TestWhoMayDispute(t *testing.T) {
	t.Parallel()
	r := newRepair(t)
	duplicate, follower, late := r.Citizen(), r.Citizen(), r.Citizen()
	second := filed(r.System, duplicate, "pending")
	r.Staff(identity.Moderator).Post("/reports/"+second+"/status", object{"status": "duplicate", "duplicate_of": r.id}).Want(http.StatusOK)
	follower.Post(r.path("/follow"), nil).Want(http.StatusOK)
	r.fix()
	r.Exec(`INSERT INTO report_confirmations (report_id, user_id) VALUES ($1, $2)`, r.id, late.ID) // after it was fixed
	note := object{"note": "No."}
	for name, c := range map[string]*testenv.Client{"a stranger": r.Citizen(), "a follower": follower, "who confirmed later": late, "its official": r.official,
		"a moderator": r.Staff(identity.Moderator), "an administrator": r.Staff(identity.Admin)} {
		if got := c.Post(r.path("/dispute"), note); got.Status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	r.Anonymous().Post(r.path("/dispute"), note).Want(http.StatusUnauthorized)
	for name, c := range map[string]*testenv.Client{"the reporter": r.author, "the reporter of a duplicate": duplicate, "who confirmed before": r.confirmer} {
		if got := c.Post(r.path("/dispute"), note); got.Status != http.StatusOK {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		r.fix()
	}
	holds(t, r.System, r.id)
}

func TestWhenADisputeIsRefused(t *testing.T) {
	t.Parallel()
	r := newRepair(t)
	note := object{"note": "No."}
	if got := r.author.Post(r.path("/dispute"), note).Want(http.StatusConflict); got.Code() != "transition_not_allowed" {
		t.Errorf("in progress: %s", got.Body)
	}
	r.fix()
	if got := r.author.Post(r.path("/dispute"), object{"note": "  "}).Want(http.StatusUnprocessableEntity).Object(); got.Items("errors")[0].Text("field") != "note" {
		t.Errorf("without words: %v", got.Values)
	}
	r.author.Post(r.path("/dispute"), nil).Want(http.StatusUnprocessableEntity)
	r.author.Post("/reports/"+uuid.NewString()+"/dispute", note).Want(http.StatusNotFound)
	r.Exec(`UPDATE reports SET resolved_at = now() - interval '30 days 1 minute' WHERE id = $1`, r.id)
	if got := r.author.Post(r.path("/dispute"), note).Want(http.StatusConflict); got.Code() != "dispute_over" {
		t.Errorf("after 30 days: %s", got.Body)
	}
	r.Exec(`UPDATE reports SET resolved_at = now() - interval '29 days' WHERE id = $1`, r.id)
	for n := range 3 {
		r.author.Post(r.path("/dispute"), object{"note": fmt.Sprint("No ", n)}).Want(http.StatusOK)
		if got := r.author.Post(r.path("/dispute"), note).Want(http.StatusConflict); got.Code() != "transition_not_allowed" {
			t.Errorf("the second click: %s", got.Body)
		}
		r.fix()
	}
	if got := r.author.Post(r.path("/dispute"), note).Want(http.StatusConflict); got.Code() != "dispute_over" {
		t.Errorf("the fourth time: %s", got.Body)
	}
	r.confirmer.Post(r.path("/dispute"), note).Want(http.StatusOK) // each person has three
	w := r.System
	w.Exec(`UPDATE reports SET deleted_at = now() WHERE id = $1`, r.id)
	if got := r.author.Post(r.path("/dispute"), note).Status; got != http.StatusNotFound && got != http.StatusGone {
		t.Errorf("withdrawn: %d", got)
	}
}

func TestADisputeIsRepeatedByItsClientID(t *testing.T) {
	t.Parallel()
	r := newRepair(t)
	r.fix()
	body := object{"note": "No.", "client_id": uuid.NewString()}
	first := r.author.Post(r.path("/dispute"), body).Want(http.StatusOK)
	again := r.author.Post(r.path("/dispute"), body).Want(http.StatusOK)
	if string(first.Body) != string(again.Body) {
		t.Errorf("first %s\nthen %s", first.Body, again.Body)
	}
	if got := r.author.Post(r.path("/dispute"), object{"note": "Else.", "client_id": body["client_id"]}).Want(http.StatusConflict); got.Code() != "client_id_reused" {
		t.Errorf("other words: %s", got.Body)
	}
	r.fix()
	if got := r.author.Post(r.path("/dispute"), body).Want(http.StatusOK).Object(); got.Text("status") != "fixed" {
		t.Errorf("a repeat after the next repair: %v", got.At("status"))
	}
	if n := r.Int(`SELECT count(*) FROM report_disputes`); n != 1 {
		t.Errorf("%d disputes, want 1", n)
	}
}

func TestADisputeWithAPicture(t *testing.T) {
	t.Parallel()
	r := newRepair(t)
	r.fix()
	picture := uploaded(r.author, r.System, 9)
	r.confirmer.Post(r.path("/dispute"), object{"upload_id": picture}).Want(http.StatusUnprocessableEntity) // of another person
	r.ProcessUpload(picture)
	waiting := r.Int(`SELECT count(*) FROM outbox WHERE queue = 'validate'`)
	o := r.author.Post(r.path("/dispute"), object{"upload_id": picture}).Want(http.StatusOK).Object()
	images := o.Items("images")
	if len(images) != 1 || images[0].Text("kind") != "dispute" || images[0].Text("status") != "processed" || images[0].At("is_public") != false || o.Text("status") != "in_progress" {
		t.Errorf("got %v", o.At("images"))
	}
	if got := r.Citizen().Get(r.path("")).Want(http.StatusOK).Object(); len(got.Items("images")) != 0 {
		t.Errorf("others see %v before the verdict", got.At("images"))
	}
	if n := r.Int(`SELECT count(*) FROM outbox WHERE queue = 'validate'`); n != waiting+1 {
		t.Errorf("%d messages for the AI, want one more than %d", n, waiting)
	}
	if n := r.Int(`SELECT count(*) FROM report_disputes d JOIN report_images i ON i.id = d.image_id WHERE i.kind = 'dispute' AND comment_id IS NULL`); n != 1 {
		t.Errorf("%d disputes with the picture", n)
	}
	holds(t, r.System, r.id)
}

// Two people dispute a repair at once: one of them does, the other is told that the report is in progress.
func TestTwoDisputesAtOnce(t *testing.T) {
	t.Parallel()
	r := newRepair(t)
	r.fix()
	statuses := make([]int, 2)
	var wg sync.WaitGroup
	for i, c := range []*testenv.Client{r.author, r.confirmer} {
		wg.Go(func() { statuses[i] = c.Post(r.path("/dispute"), object{"note": "No."}).Status })
	}
	wg.Wait()
	if statuses[0]+statuses[1] != http.StatusOK+http.StatusConflict || r.Int(`SELECT count(*) FROM report_disputes`) != 1 {
		t.Errorf("got %v", statuses)
	}
	holds(t, r.System, r.id)
}

// Staff dispute on the word of the person for whom they filed the report; the event says so.
func TestADisputeOnBehalfOfSomebody(t *testing.T) {
	t.Parallel()
	r := newRepair(t)
	r.fix()
	body := object{"note": "She says it is open.", "on_behalf_of": true}
	if got := r.official.Post(r.path("/dispute"), body).Want(http.StatusUnprocessableEntity).Object(); got.Items("errors")[0].Text("field") != "on_behalf_of" {
		t.Errorf("without a contact: %v", got.Values)
	}
	r.Exec(`INSERT INTO report_contacts (report_id, full_name) VALUES ($1, 'Ana')`, r.id)
	r.author.Post(r.path("/dispute"), body).Want(http.StatusForbidden)
	if got := r.Staff(identity.Official, r.Agency("ELSE")).Post(r.path("/dispute"), body).Want(http.StatusForbidden); got.Code() != "not_your_agency" {
		t.Errorf("of another agency: %s", got.Body)
	}
	o := r.official.Post(r.path("/dispute"), body).Want(http.StatusOK).Object()
	if payload := o.Text("receipt.payload"); !strings.Contains(payload, `"event":"DISPUTED"`) || !strings.Contains(payload, `"on_behalf_of":true`) {
		t.Errorf("the receipt is of %s", payload)
	}
	steps := o.Items("status_history")
	if by := steps[len(steps)-1].Text("changed_by"); by != "government_official" {
		t.Errorf("changed by %s", by)
	}
	for range 2 { // the three are those of the person, whoever of the staff writes them down
		r.fix()
		r.Staff(identity.Moderator).Post(r.path("/dispute"), body).Want(http.StatusOK)
	}
	r.fix()
	if got := r.Staff(identity.Moderator).Post(r.path("/dispute"), body).Want(http.StatusConflict); got.Code() != "dispute_over" {
		t.Errorf("the fourth time: %s", got.Body)
	}
	holds(t, r.System, r.id)
}

// A reporter's disputes count among the changes of the day.
func TestDisputesAreCountedAsOwnEvents(t *testing.T) {
	t.Parallel()
	r := newRepair(t, `{"citizen_events_per_report": 1}`)
	r.fix()
	r.author.Post(r.path("/dispute"), object{"note": "No."}).Want(http.StatusOK)
	r.fix()
	if got := r.author.Post(r.path("/dispute"), object{"note": "No."}); got.Status != http.StatusTooManyRequests {
		t.Errorf("the second of the day: %d", got.Status)
	}
}
