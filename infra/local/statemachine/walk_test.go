// Package statemachine_test makes random sequences of actions of citizens, staff, AI and workers on reports, through the
// real API and database. After each action it compares status, history, ledger and notifications with a small model of
// the contract. An action that is refused must change nothing.
package statemachine_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/lafaekstreet/backend/functions/relay"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/start"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/upload"
)

type object = map[string]any

// stage is a system with the people who use it.
type stage struct {
	*testenv.System
	people   map[string]*testenv.Client
	actors   []actor
	agencies map[string]uuid.UUID
	outbox   *outbox.Outbox
	relay    start.Scheduled
}

func newStage(t *testing.T) *stage {
	t.Helper()
	w := testenv.New(t)
	for _, limit := range []string{"USER_PER_MINUTE", "USER_BURST", "CREATE_PER_HOUR", "COMMENT_PER_HOUR", "FLAG_PER_HOUR"} {
		w.Env["RATE_LIMIT_"+limit] = "10000000"
	}
	w.Serve(reports.Open, staff.Open)
	s := &stage{System: w, agencies: map[string]uuid.UUID{"A": w.Agency("A"), "B": w.Agency("B")}}
	s.people = map[string]*testenv.Client{
		"maria": w.Citizen(), "jose": w.Citizen(), "moderator": w.Staff(identity.Moderator), "admin": w.Staff(identity.Admin),
		"official A": w.Staff(identity.Official, s.agencies["A"]), "official B": w.Staff(identity.Official, s.agencies["B"]),
	}
	s.actors = []actor{{"maria", "citizen", ""}, {"jose", "citizen", ""}, {"moderator", "moderator", ""}, {"admin", "admin", ""},
		{"official A", "government_official", "A"}, {"official B", "government_official", "B"}}
	w.Exec(`UPDATE users SET created_at = created_at - interval '10 days'`)
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', jsonb_build_object('flags_to_hide', $1::int))
		ON CONFLICT (key) DO UPDATE SET value = app_settings.value || excluded.value`, flagsToHide)
	s.outbox = outbox.New(&database.DB{Pool: w.DB}, nil, slog.New(slog.DiscardHandler))
	var err error
	if s.relay, err = relay.Open(t.Context(), w.Env); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReportsMoveAsTheContractSays(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	rapid.Check(t, func(r *rapid.T) { (&walk{stage: s, T: r}).run() })
}

// walk is one sequence.
type walk struct {
	*stage
	*rapid.T
	all []*modelReport
	ids map[*modelReport]string
}

func (w *walk) run() {
	w.ids = map[*modelReport]string{}
	w.Exec(`DELETE FROM report_flags`) // those of earlier walks decide whether flags of a person count
	w.create("maria")
	w.create("jose")
	for range w.draw("steps", 3, 14) {
		f := rapid.SampledFrom(w.all).Draw(w.T, "report")
		who := rapid.SampledFrom(w.actors).Draw(w.T, "actor")
		before := w.seen()
		done := true
		switch action := rapid.SampledFrom([]string{"advance", "advance", "advance", "advance", "status", "status", "AI", "assign", "hand back", "hand back", "release", "amend", "withdraw", "appeal", "dispute", "dispute", "override", "create", "relay", "hide", "unhide", "flag", "flag", "flag", "dismiss"}).Draw(w.T, "action"); action {
		case "advance":
			done = w.advance(f)
		case "status":
			done = w.status(f, who, rapid.SampledFrom(statuses).Draw(w.T, "to"))
		case "AI":
			done = w.verdict(f)
		case "assign":
			done = w.assign(f, who)
		case "hand back":
			done = w.handBack(f, who)
		case "release":
			done = w.release(f)
		case "amend":
			done = w.amend(f, who)
		case "withdraw":
			done = w.withdraw(f, who)
		case "appeal":
			done = w.appeal(f, who)
		case "dispute":
			done = w.dispute(f, who)
		case "override":
			done = w.override(f, who)
		case "hide", "unhide", "dismiss":
			done = w.moderate(f, who, action)
		case "flag":
			done = w.flag(f, who)
		case "create":
			if who.kind == "citizen" && len(w.all) < 4 {
				w.create(who.name)
			}
		case "relay":
			if err := w.relay.Run(context.Background(), events.EventBridgeEvent{}); err != nil {
				w.Fatalf("relay: %v", err)
			}
			done = false // it changes no report
		}
		if after := w.seen(); !done && before != after {
			w.Fatalf("a refused action changed something:\n%s\n%s", before, after)
		}
		w.agree()
	}
}

func (w *walk) draw(what string, from, to int) int { return rapid.IntRange(from, to).Draw(w.T, what) }

func (w *walk) create(author string) {
	r := w.people[author].Post("/reports", object{"client_id": uuid.NewString(), "issue_type": "pothole", "latitude": -8.55, "longitude": 125.57}).
		Want(http.StatusCreated).Object()
	f := &modelReport{author: author, status: "pending", kind: "pothole", severity: "medium", history: [][3]string{{"", "pending", "citizen"}}, events: []string{"REPORT_SUBMITTED"},
		told: map[string]map[string]int{author: {"report_received": 1}}}
	w.all, w.ids[f] = append(w.all, f), r.Text("id")
	if f.placed = w.draw("placed", 0, 3) > 0; f.placed { // else no agency without an area can be chosen
		w.Exec(`UPDATE reports SET geocoded_at = now() WHERE id = $1`, w.ids[f])
	}
}

// expect compares an answer with the model: may says whether the action is allowed. It returns may.
func (w *walk) expect(what string, got apiclient.TestResponse, may bool) bool {
	if done := got.Status == http.StatusOK; done != may || got.Status >= 500 {
		w.Fatalf("%s: got %d %s, the contract allows it: %v", what, got.Status, got.Body, may)
	}
	return may
}

var statuses = []string{"pending", "verified", "in_progress", "fixed", "rejected", "duplicate"}

// advance makes a random move that the table has, by an actor who may make it. Without it most random moves are refused,
// and few reports leave the status pending.
func (w *walk) advance(f *modelReport) bool {
	type step struct {
		to string
		by actor
	}
	var steps []step
	for _, to := range statuses {
		for _, by := range w.actors {
			if _, may := f.allowed(to, by); may {
				steps = append(steps, step{to, by})
			}
		}
	}
	next := rapid.SampledFrom(steps).Draw(w.T, "step")
	return w.status(f, next.by, next.to)
}

func (w *walk) status(f *modelReport, who actor, to string) bool {
	body := object{"status": to}
	note := rapid.Bool().Draw(w.T, "note")
	if note {
		body["note"] = "Because."
	}
	reason := rapid.Bool().Draw(w.T, "reason")
	if reason {
		body["reason_code"] = "unsafe"
	}
	var original *modelReport
	if to == "duplicate" {
		original = rapid.SampledFrom(w.all).Draw(w.T, "original")
		body["duplicate_of"] = w.ids[original]
	}
	exists, may := f.allowed(to, who)
	may = may && !f.withdrawn && (note || !f.needsNote(to)) && (reason || to != "rejected") && (original == nil || f.fits(original, who, w.all))
	got := w.people[who.name].Post("/reports/"+w.ids[f]+"/status", body)
	if !exists && who.kind != "citizen" && !f.withdrawn && (got.Status != http.StatusConflict || got.Code() != "transition_not_allowed") {
		w.Fatalf("%s to %s: got %d %s", f.status, to, got.Status, got.Body)
	}
	if !w.expect(who.name+" moves "+f.status+" to "+to, got, may) {
		return false
	}
	f.move(to, who, original, w.all)
	return true
}

// verdict does what the validate worker does with a clear verdict.
func (w *walk) verdict(f *modelReport) bool {
	to := rapid.SampledFrom([]string{"verified", "rejected", "fixed"}).Draw(w.T, "verdict")
	ai := actor{kind: "ai"}
	_, may := f.allowed(to, ai)
	may = may && !f.withdrawn
	err := w.outbox.Do(context.Background(), func(tx *outbox.Tx) error {
		_, err := reportwrite.Transition(context.Background(), tx, reportwrite.Move{Report: report.AboutID(uuid.MustParse(w.ids[f])), To: report.Status(to), By: report.AI(), Note: "Irrelevant.",
			Renditions: upload.NewRenditions(storage.New(w.AWS.Config(), storage.Config{Bucket: testenv.Bucket, PathStyle: true}), slog.New(slog.DiscardHandler))})
		return err
	})
	if (err == nil) != may {
		w.Fatalf("AI moves %s to %s: %v, the contract allows it: %v", f.status, to, err, may)
	}
	if may {
		f.move(to, ai, nil, w.all)
	}
	return may
}

func (w *walk) amend(f *modelReport, who actor) bool {
	may := !f.withdrawn && (who.kind == "moderator" || who.kind == "admin" || who.name == f.author && f.status == "pending")
	word := rapid.SampledFrom([]string{"drain", "Lubuk"}).Draw(w.T, "type")
	if !w.expect(who.name+" amends", w.people[who.name].Patch("/reports/"+w.ids[f], object{"title": uuid.NewString(), "issue_type": word}), may) {
		return false
	}
	f.moderated = f.moderated && who.name != f.author
	f.events, f.kind = append(f.events, "CONTENT_AMENDED"), map[string]string{"drain": "drainage", "Lubuk": "other"}[word]
	if who.name != f.author {
		f.tell("report_edited", w.all)
	}
	return true
}

func (w *walk) withdraw(f *modelReport, who actor) bool {
	may := !f.withdrawn && (who.kind == "admin" || who.name == f.author && f.status == "pending")
	path := "/reports/" + w.ids[f]
	if rapid.Bool().Draw(w.T, "reason") {
		path += "?reason_code=unsafe"
	} else if who.kind == "admin" {
		may = false
	}
	if !w.expect(who.name+" withdraws", w.people[who.name].Delete(path), may) {
		return false
	}
	if who.name != f.author {
		f.tellOne(f.author, "report_removed")
	}
	f.tellDuplicates(who.name, w.all)
	clear(f.flags)
	f.withdrawn, f.events = true, append(f.events, "REPORT_WITHDRAWN")
	return true
}

func (w *walk) appeal(f *modelReport, who actor) bool {
	may := !f.withdrawn && who.name == f.author && f.status == "rejected" && !f.appealed
	if !w.expect(who.name+" appeals", w.people[who.name].Post("/reports/"+w.ids[f]+"/appeal", object{"reason": "It is a road."}), may) {
		return false
	}
	f.appealed, f.appealing = true, true
	return true
}

// dispute says that a repair is not done.
func (w *walk) dispute(f *modelReport, who actor) bool {
	people := f.concerned(w.all)
	may := !f.withdrawn && f.status == "fixed" && slices.Contains(people, who.name) && f.disputes[who.name] < 3
	if !w.expect(who.name+" disputes", w.people[who.name].Post("/reports/"+w.ids[f]+"/dispute", object{"note": "It is open."}), may) {
		return false
	}
	f.history = append(f.history, [3]string{"fixed", "in_progress", "citizen"})
	f.events, f.status, f.paused = append(f.events, "COMMENT_ADDED", "DISPUTED"), "in_progress", false
	if f.disputes == nil {
		f.disputes = map[string]int{}
	}
	f.disputes[who.name]++
	for _, person := range people {
		if person != who.name {
			f.tellOne(person, "comment_added")
			f.tellOne(person, "report_disputed")
		}
	}
	return true
}

// flagsToHide is how many people's flags hide in these walks.
const flagsToHide = 2

// seen returns all rows about the reports of this walk, as text.
func (w *walk) seen() string {
	ids := make([]string, 0, len(w.all))
	for _, f := range w.all {
		ids = append(ids, w.ids[f])
	}
	return w.Text(`SELECT jsonb_build_array(
		(SELECT jsonb_agg(to_jsonb(r) ORDER BY id) FROM reports r WHERE id = ANY($1)),
		(SELECT count(*) FROM report_status_history WHERE report_id = ANY($1)), (SELECT count(*) FROM ledger_events WHERE report_id = ANY($1)),
		(SELECT count(*) FROM notifications WHERE report_id = ANY($1)), (SELECT count(*) FROM ai_analyses WHERE report_id = ANY($1)),
		(SELECT count(*) FROM report_followers WHERE report_id = ANY($1)), (SELECT count(*) FROM audit_log WHERE entity_id = ANY($1::text[])))::text`, ids)
}

// agree compares every report with the model.
func (w *walk) agree() {
	const q = `SELECT jsonb_build_object('status', r.status, 'withdrawn', r.deleted_at IS NOT NULL, 'original', coalesce(r.duplicate_of::text, ''),
		'agency', coalesce((SELECT code FROM agencies WHERE id = r.assigned_agency_id), ''), 'paused', r.due_paused_at IS NOT NULL, 'due', r.due_at IS NOT NULL,
		'hidden', coalesce(r.words_hidden, ''), 'moderated', r.moderated_at IS NOT NULL, 'flags', r.flags_count,
		'history', (SELECT jsonb_agg(jsonb_build_array(coalesce(old_status, ''), new_status, actor_kind) ORDER BY created_at, id) FROM report_status_history WHERE report_id = r.id),
		'events', (SELECT jsonb_agg(event_type ORDER BY seq) FROM ledger_events WHERE report_id = r.id),
		'told', (SELECT jsonb_object_agg(user_id, types) FROM (SELECT user_id, jsonb_object_agg(type, n) AS types FROM (
			SELECT user_id, type, count(*) AS n FROM notifications WHERE report_id = r.id GROUP BY 1, 2) t GROUP BY 1) p))::text FROM reports r WHERE id = $1`
	for _, f := range w.all {
		v, err := ledger.VerifyRecords(context.Background(), w.DB, ledger.Config{}, uuid.MustParse(w.ids[f]))
		if err != nil {
			w.Fatalf("%v", err)
		}
		for _, check := range v.Checks {
			if !check.OK && !check.Waiting {
				w.Fatalf("the ledger's %s does not hold: %s", check.Name, check.Detail)
			}
		}
		var got struct {
			Status, Original, Agency, Hidden  string
			Withdrawn, Paused, Due, Moderated bool
			Flags                             int
			History                           [][3]string
			Events                            []string
			Told                              map[string]map[string]int
		}
		if err := json.Unmarshal([]byte(w.Text(q, w.ids[f])), &got); err != nil {
			w.Fatalf("%v", err)
		}
		told := map[string]map[string]int{}
		for person, types := range f.told {
			told[w.people[person].ID.String()] = types
		}
		original := ""
		if f.original != nil {
			original = w.ids[f.original]
		}
		if got.Status != f.status || got.Withdrawn != f.withdrawn || got.Hidden != f.hidden || got.Moderated != f.moderated || got.Flags != len(f.flags) || got.Original != original ||
			got.Agency != f.agency || got.Paused != f.paused || !got.Due && f.agency != "" || !reflect.DeepEqual(got.History, f.history) || !reflect.DeepEqual(got.Events, f.events) || !reflect.DeepEqual(got.Told, told) {
			w.Fatalf("the report is %+v\nwant %+v, told %v", got, *f, told)
		}
	}
}
