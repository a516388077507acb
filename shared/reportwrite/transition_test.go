package reportwrite_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

// contract is the table of moves and who may make them. It is written by hand and not read from report.RuleFor.
var contract = map[[2]report.Status]map[report.ActorKind]bool{
	{report.Pending, report.Verified}:    {"ai": true, "moderator": true, "government_official": true, "admin": true},
	{report.Pending, report.Rejected}:    {"ai": true, "moderator": true, "admin": true},
	{report.Pending, report.Duplicate}:   {"moderator": true, "government_official": true, "admin": true},
	{report.Verified, report.Duplicate}:  {"moderator": true, "government_official": true, "admin": true},
	{report.Verified, report.InProgress}: {"government_official": true, "admin": true},
	{report.InProgress, report.Fixed}:    {"government_official": true, "admin": true},
	{report.InProgress, report.Verified}: {"government_official": true, "admin": true},
	{report.Fixed, report.InProgress}:    {"government_official": true, "admin": true},
	{report.Verified, report.Rejected}:   {"moderator": true, "admin": true},
	{report.InProgress, report.Rejected}: {"moderator": true, "admin": true},
	{report.Fixed, report.Rejected}:      {"moderator": true, "admin": true},
	{report.Duplicate, report.Rejected}:  {"moderator": true, "admin": true},
	{report.Rejected, report.Pending}:    {"moderator": true, "admin": true},
	{report.Duplicate, report.Pending}:   {"moderator": true, "admin": true},
}

func TestEveryMoveOfEveryActor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, kind := range []report.ActorKind{"ai", "citizen", "moderator", "government_official", "admin"} {
		actor := b.actor(kind)
		for _, from := range report.Statuses() {
			for _, to := range report.Statuses() {
				id := b.report(from)
				m := reportwrite.Move{Report: report.AboutID(id), To: to, By: actor, Note: "because", Reason: report.ReasonIrrelevant}
				if to == report.Duplicate {
					o := report.AboutID(b.report(report.Verified))
					m.DuplicateOf = &o
				}
				_, err := b.move(m)
				actors, exists := contract[[2]report.Status{from, to}]
				want := problem.Kind(0)
				switch {
				case !exists:
					want = problem.Conflict
				case !actors[kind]:
					want = problem.Forbidden
				}
				if got := kindOf(err); got != want || (err != nil && got == 0) {
					t.Errorf("%s moves %s to %s: %v, want status %d", kind, from, to, err, want)
				}
				history := b.count(`SELECT count(*) FROM report_status_history WHERE report_id = $1`, id)
				told := b.count(`SELECT count(*) FROM notifications WHERE report_id = $1`, id)
				changed := b.status(id) == to && to != from
				events := b.count(`SELECT count(*) FROM ledger_events WHERE report_id = $1 AND seq = 2`, id)
				if made := want == 0; changed != made || history != told || history != events || (history == 1) != made {
					t.Errorf("%s moves %s to %s: changed %v, history %d, notifications %d", kind, from, to, changed, history, told)
				}
			}
		}
	}
}

func TestOfficialOfAnotherAgencyMayNotWorkOnIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stranger := b.actor(report.ActorOfficial)
	other := uuid.New()
	stranger.AgencyID = &other
	_, err := b.move(reportwrite.Move{Report: report.AboutID(b.report(report.Verified)), To: report.InProgress, By: stranger})
	if kindOf(err) != problem.Forbidden {
		t.Errorf("got %v", err)
	}
}

func TestNotesWhereTheyAreDemanded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin := b.actor(report.ActorAdmin)
	for _, m := range []reportwrite.Move{
		{Report: report.AboutID(b.report(report.Pending)), To: report.Rejected},
		{Report: report.AboutID(b.report(report.InProgress)), To: report.Fixed},
		{Report: report.AboutID(b.report(report.InProgress)), To: report.Verified},
		{Report: report.AboutID(b.report(report.Fixed)), To: report.InProgress},
		{Report: report.AboutID(b.report(report.Pending)), To: report.Duplicate},
	} {
		m.By, m.Note = admin, "  "
		if _, err := b.move(m); kindOf(err) != problem.Invalid {
			t.Errorf("to %s: %v", m.To, err)
		}
	}
}

func TestOfTwoOfficialsOneWins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(report.Verified)
	one := 1
	var wg sync.WaitGroup
	results := make([]error, 2)
	for i := range results {
		m := reportwrite.Move{Report: report.AboutID(id), To: report.InProgress, By: b.actor(report.ActorOfficial), Expect: reportwrite.Expect{Version: &one}}
		wg.Go(func() { results[i] = run(t.Context(), b.outbox, m) })
	}
	wg.Wait()
	if (results[0] == nil) == (results[1] == nil) {
		t.Fatalf("results %v, %v", results[0], results[1])
	}
	for _, err := range results {
		if err != nil && kindOf(err) != problem.Conflict {
			t.Errorf("the loser got %v", err)
		}
	}
	_, err := b.move(reportwrite.Move{Report: report.AboutID(id), To: report.Fixed, Note: "done", By: b.actor(report.ActorOfficial),
		Expect: reportwrite.Expect{Match: httpapi.IfMatch(`W/"v1.abc"`)}})
	if kindOf(err) != problem.PreconditionFailed {
		t.Errorf("a stale If-Match got %v", err)
	}
}

func TestDuplicatesStayOneLevelDeepAndAreReversible(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mod := b.actor(report.ActorModerator)
	a, c, d := b.report(report.Pending), b.report(report.Verified), b.report(report.Pending)
	link := func(id, of uuid.UUID) error {
		original := report.AboutID(of)
		_, err := b.move(reportwrite.Move{Report: report.AboutID(id), To: report.Duplicate, By: mod, DuplicateOf: &original})
		return err
	}
	if err := link(a, c); err != nil {
		t.Fatal(err)
	}
	if err := link(d, a); kindOf(err) != problem.Conflict {
		t.Errorf("duplicate of a duplicate: %v", err)
	}
	if err := link(c, d); kindOf(err) != problem.Conflict {
		t.Errorf("an original became a duplicate: %v", err)
	}
	if err := link(d, d); kindOf(err) != problem.Invalid {
		t.Errorf("its own duplicate: %v", err)
	}
	if n := b.count(`SELECT count(*) FROM report_followers WHERE report_id = $1 AND user_id = $2`, c, b.author); n != 1 {
		t.Errorf("%d followers of the original", n)
	}
	if _, err := b.move(reportwrite.Move{Report: report.AboutID(a), To: report.Pending, By: mod}); err != nil {
		t.Fatal(err)
	}
	if n := b.count(`SELECT count(*) FROM report_followers`); n != 0 {
		t.Errorf("%d followers after unlinking", n)
	}
	if err := link(a, c); err != nil {
		t.Fatal(err)
	}
	b.exec(`UPDATE reports SET deleted_at = now() WHERE id = $1`, a) // nothing can be unlinked of what is withdrawn
	if err := link(c, d); err != nil {
		t.Errorf("an original whose duplicates are all withdrawn: %v", err)
	}
}

func TestTwoReportsCannotBecomeDuplicatesOfEachOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mod := b.actor(report.ActorModerator)
	for range 5 {
		x, y := b.report(report.Pending), b.report(report.Pending)
		var wg sync.WaitGroup
		results := make([]error, 2)
		for i, pair := range [][2]uuid.UUID{{x, y}, {y, x}} {
			original := report.AboutID(pair[1])
			wg.Go(func() {
				results[i] = run(t.Context(), b.outbox, reportwrite.Move{Report: report.AboutID(pair[0]), To: report.Duplicate, By: mod, DuplicateOf: &original})
			})
		}
		wg.Wait()
		if (results[0] == nil) == (results[1] == nil) {
			t.Fatalf("results %v, %v", results[0], results[1])
		}
	}
}

func TestFixedReportsAreCountedForTheirAuthor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin := b.actor(report.ActorAdmin)
	id := b.report(report.Verified)
	fixed := func() int { return b.count(`SELECT fixed_reports_count FROM users WHERE id = $1`, b.author) }
	for _, step := range []struct {
		to   report.Status
		want int
	}{{report.InProgress, 0}, {report.Fixed, 1}, {report.InProgress, 0}, {report.Fixed, 1}, {report.Rejected, 0}, {report.Pending, 0}} {
		if _, err := b.move(reportwrite.Move{Report: report.AboutID(id), To: step.to, By: admin, Note: "note", Reason: report.ReasonUnsafe}); err != nil {
			t.Fatal(err)
		}
		if got := fixed(); got != step.want {
			t.Errorf("after %s: %d", step.to, got)
		}
	}
}

// A rejection keeps agency and deadline, and a restored report has its agency again. It is without a verdict.
func TestARestoredReportKeepsItsAgency(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mod, id := b.actor(report.ActorModerator), b.report(report.InProgress)
	b.exec(`UPDATE reports SET due_at = '2026-12-05', verified_at = now() WHERE id = $1`, id)
	const down = `SELECT count(*) FROM reports WHERE id = $1 AND status = 'rejected' AND removed_at IS NOT NULL AND removed_by = 'moderator' AND reason_code = 'offensive'
		AND assigned_agency_id IS NOT NULL AND due_at IS NOT NULL`
	const up = `SELECT count(*) FROM reports WHERE id = $1 AND status = 'pending' AND removed_at IS NULL AND removed_by IS NULL AND reason_code IS NULL
		AND assigned_agency_id IS NOT NULL AND due_at IS NOT NULL`
	for _, step := range []struct {
		to   report.Status
		want string
	}{{report.Rejected, down}, {report.Pending, up}, {report.Rejected, down}} {
		if _, err := b.move(reportwrite.Move{Report: report.AboutID(id), To: step.to, By: mod, Reason: report.ReasonOffensive}); err != nil {
			t.Fatal(err)
		}
		if b.count(step.want, id) != 1 {
			t.Errorf("after %s the row is wrong", step.to)
		}
	}
}
