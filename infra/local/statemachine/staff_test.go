package statemachine_test

import (
	"net/http"
	"slices"

	"pgregory.net/rapid"
)

func (w *walk) assign(f *modelReport, who actor) bool {
	agency := rapid.SampledFrom([]string{"A", "B"}).Draw(w.T, "agency")
	open := f.status == "pending" || f.status == "verified" || f.status == "in_progress"
	may := !f.withdrawn && open && (who.kind == "moderator" || who.kind == "admin" ||
		who.kind == "government_official" && who.agency == agency && f.workable(who))
	got := w.people[who.name].Post("/reports/"+w.ids[f]+"/assign", object{"agency_id": w.agencies[agency]})
	if !w.expect(who.name+" assigns", got, may) {
		return false
	}
	if f.agency == agency { // with the deadline that it has: nothing changes
		return true
	}
	f.agency, f.paused, f.events = agency, false, append(f.events, "ASSIGNED")
	f.tell("report_assigned", w.all)
	return true
}

func (w *walk) handBack(f *modelReport, who actor) bool {
	open := f.status == "pending" || f.status == "verified" || f.status == "in_progress"
	boss := who.kind == "moderator" || who.kind == "admin"
	again := f.agency == "" && f.paused && (boss || who.kind == "government_official" && slices.Contains(f.returned, who.agency))
	may := !f.withdrawn && open && (again || f.agency != "" && (boss || who.kind == "government_official" && f.agency == who.agency))
	got := w.people[who.name].Post("/reports/"+w.ids[f]+"/hand-back", object{"note": "Not ours."})
	if !w.expect(who.name+" hands back", got, may) {
		return false
	}
	if !again {
		f.handBack(who, w.all)
	}
	return true
}

// release takes a report off its agency, lets an administrator begin it without an agency, and end that. Then a rule could
// assign it again. Random moves come to this too seldom.
func (w *walk) release(f *modelReport) bool {
	moderator, admin := w.actors[2], w.actors[3]
	done := w.handBack(f, moderator)
	w.agree()
	for _, to := range []string{"in_progress", "verified"} {
		done = w.status(f, admin, to) || done
		w.agree()
	}
	return done
}

// moderate hides words, shows them, or dismisses flags.
func (w *walk) moderate(f *modelReport, who actor, action string) bool {
	path := map[string]string{"hide": "/hide", "unhide": "/unhide", "dismiss": "/flags/dismiss"}[action]
	var body any
	if action == "hide" {
		body = object{"reason_code": "offensive"}
	}
	if !w.expect(who.name+" "+action, w.people[who.name].Post("/reports/"+w.ids[f]+path, body), !f.withdrawn && who.moderates()) {
		return false
	}
	switch {
	case action == "hide":
		clear(f.flags)
		if f.hidden != "moderator" {
			f.hides("moderator")
		}
	case action == "dismiss", f.hidden == "flags":
		f.dismissed()
	case f.hidden == "moderator":
		f.moderated = true
		f.hides("")
	}
	return true
}

// flag says that a report should not be shown.
func (w *walk) flag(f *modelReport, who actor) bool {
	may := !f.withdrawn && who.name != f.author && (f.status != "rejected" || who.kind != "citizen")
	got := w.people[who.name].Post("/reports/"+w.ids[f]+"/flag", object{"reason": "offensive"})
	if (got.Status == http.StatusAccepted) != may || got.Status >= 500 {
		w.Fatalf("%s flags: got %d %s, the contract allows it: %v", who.name, got.Status, got.Body, may)
	}
	if may {
		f.flagged(who.name)
	}
	return may
}

func (w *walk) override(f *modelReport, who actor) bool {
	relevant := rapid.Bool().Draw(w.T, "relevant")
	var steps []string
	switch {
	case relevant && f.status == "pending":
		steps = []string{"verified"}
	case relevant && f.status == "rejected":
		steps = []string{"pending", "verified"}
	case !relevant && f.status != "rejected":
		steps = []string{"rejected"}
	}
	may := !f.withdrawn && who.kind != "citizen" && f.workable(who) && (relevant || who.kind != "government_official")
	if len(steps) > 0 {
		_, first := f.allowed(steps[0], who)
		may = may && first
	}
	got := w.people[who.name].Post("/reports/"+w.ids[f]+"/ai-analysis/override", object{"is_relevant": relevant, "severity": "high", "issue_type": "flooding", "note": "I was there."})
	if !w.expect(who.name+" overrides", got, may) {
		return false
	}
	upheld := f.appealing && len(steps) == 0 && f.status == "rejected"
	for _, to := range steps {
		f.move(to, who, nil, w.all)
	}
	f.events = append(f.events, "AI_VALIDATED") // after the moves: the payload of a pending report says nothing of the verdict
	switch {
	case upheld:
		f.appealing = false
		f.tellOne(f.author, "report_rejected")
	case len(steps) == 0 && (f.kind != "flooding" || f.severity != "high") && f.status != "rejected":
		f.tell("report_edited", w.all)
	}
	f.kind, f.severity = "flooding", "high"
	return true
}
