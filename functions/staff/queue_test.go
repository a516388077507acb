package staff_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// desk is staff and reports for tests of the queues.
type desk struct {
	*testenv.System
	citizen, moderator, official *testenv.Client
	dili, other                  uuid.UUID // agencies; the official works for dili
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	w := testenv.New(t, staff.Open)
	d := &desk{System: w, citizen: w.Citizen(), moderator: w.Staff(identity.Moderator), dili: w.Agency("DILI"), other: w.Agency("OTHER")}
	d.official = w.Staff(identity.Official, d.dili)
	w.Exec(`UPDATE agencies SET municipality_codes = '{TL-DI}', issue_types = '{pothole}' WHERE id = $1`, d.dili)
	return d
}

// report puts a report into the database; set are assignments with the arguments of fmt.Sprintf.
func (d *desk) report(set string, args ...any) string {
	d.Helper()
	return place(d.System, d.citizen, fmt.Sprintf(set, args...))
}

// listed is the ids of a queue, in order.
func (d *desk) listed(who *testenv.Client, query string) []string {
	d.Helper()
	var out []string
	for _, item := range who.Get("/staff/queue?" + query).Want(http.StatusOK).Object().Items("items") {
		out = append(out, item.Text("id"))
	}
	return out
}

// finds fails the test unless a queue has these reports, in any order.
func (d *desk) finds(who *testenv.Client, query string, want ...string) {
	d.Helper()
	got := d.listed(who, query)
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		d.Errorf("%s finds %d reports by %s: %v, want %v", who.Role, len(got), query, got, want)
	}
}

func TestQueues(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	fresh := d.report("ai_status = 'completed', status = 'verified', municipality_code = 'TL-DI'")
	far := d.report("ai_status = 'completed', municipality_code = 'TL-BA'")
	begun := d.report("ai_status = 'completed', status = 'in_progress', municipality_code = 'TL-DI'")
	failedLate := d.report("ai_status = 'failed', status = 'verified', municipality_code = 'TL-BA'")
	handedBack := d.report("ai_status = 'completed', status = 'verified', municipality_code = 'TL-BA', due_at = now() - interval '1 day', due_paused_at = now()")
	review := d.report("ai_status = 'needs_review', municipality_code = 'TL-BA'")
	reviewNear := d.report("ai_status = 'needs_review', municipality_code = 'TL-DI'")
	failed := d.report("ai_status = 'failed', municipality_code = 'TL-BA'")
	appealed := d.report("ai_status = 'needs_review', status = 'rejected', appealed_at = now(), municipality_code = 'TL-BA'")
	orphan := d.report("ai_status = 'needs_review', status = 'duplicate', duplicate_of = '%s', municipality_code = 'TL-BA'", appealed)
	d.report("ai_status = 'completed', status = 'duplicate', duplicate_of = '%s'", fresh)
	d.report("ai_status = 'rejected', status = 'rejected', flags_count = 1")
	d.report("ai_status = 'needs_review', deleted_at = now(), flags_count = 1")
	ours := d.report("ai_status = 'completed', status = 'in_progress', assigned_agency_id = '%s', assigned_user_id = '%s', due_at = now() - interval '1 day'", d.dili, d.official.ID)
	theirs := d.report("ai_status = 'completed', status = 'verified', assigned_agency_id = '%s', due_at = now() + interval '9 day', flags_count = 2", d.other)
	unsure := d.report("ai_status = 'needs_review', status = 'verified', assigned_agency_id = '%s', municipality_code = 'TL-BA'", d.dili)
	fixed := d.report("ai_status = 'completed', status = 'fixed', assigned_agency_id = '%s', assigned_user_id = '%s', due_at = now() - interval '1 day', flags_count = 1", d.dili, d.official.ID)
	late := d.report("ai_status = 'completed', status = 'verified', assigned_agency_id = '%s', due_at = now() - interval '1 day'", d.other)

	mod, official := d.moderator, d.official
	d.finds(mod, "kind=new", fresh, far, begun, failedLate, handedBack)
	d.finds(mod, "", fresh, far, begun, failedLate, handedBack)
	d.finds(official, "kind=new", fresh, begun)
	d.finds(mod, "kind=needs_review", review, reviewNear, failed, appealed, orphan, unsure)
	d.finds(mod, "kind=Needs-Review", review, reviewNear, failed, appealed, orphan, unsure)
	d.finds(official, "kind=needs_review", reviewNear, unsure)
	d.finds(mod, "kind=flagged", theirs, fixed)
	d.finds(official, "kind=flagged", fixed)
	d.finds(mod, "kind=assigned", ours, theirs, unsure, late)
	d.finds(official, "kind=assigned", ours, unsure)
	d.finds(mod, "kind=mine")
	d.finds(official, "kind=mine", ours)
	d.finds(mod, "kind=overdue", ours, late)
	d.finds(official, "kind=overdue", ours)
	nobody := d.Staff(identity.Official)
	for _, kind := range []string{"new", "needs_review", "flagged", "assigned", "mine", "overdue"} {
		d.finds(nobody, "kind="+kind)
	}
	d.citizen.Get("/staff/queue").Want(http.StatusForbidden)
	d.citizen.Get("/staff/counts").Want(http.StatusForbidden)
	d.Anonymous().Get("/staff/counts").Want(http.StatusUnauthorized)
	mod.Get("/staff/queue?kind=old").Want(http.StatusUnprocessableEntity)
}

// Whatever the state of a report, staff find it in a queue as long as it is open.
func TestEveryOpenReportIsInAQueue(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var all []string
	for _, status := range []string{"pending", "verified", "in_progress"} {
		for _, ai := range []string{"queued", "processing", "completed", "rejected", "needs_review", "failed"} {
			all = append(all, d.report("status = '%s', ai_status = '%s'", status, ai), d.report("status = '%s', ai_status = '%s', assigned_agency_id = '%s'", status, ai, d.other))
		}
	}
	found := map[string]bool{}
	for _, kind := range []string{"new", "needs_review", "assigned"} {
		for _, id := range d.listed(d.moderator, "page_size=100&kind="+kind) {
			found[id] = true
		}
	}
	for _, id := range all {
		if !found[id] {
			t.Errorf("a report is in no queue: %s", d.Text(`SELECT status || ' ' || ai_status FROM reports WHERE id = $1`, id))
		}
	}
}

// A queue shows what staff decide by, so that they do not open each report.
func TestAQueueShowsWhatStaffDecideBy(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	twin := d.report("status = 'verified'")
	gone := d.report("status = 'rejected'")
	id := d.report("ai_status = 'needs_review', status = 'rejected', appealed_at = '2026-11-01T10:00:00Z', appeal_reason = 'It is a hole.', assigned_agency_id = '%s', "+
		"assigned_user_id = '%s', due_at = '2026-12-24T14:59:59Z', flags_count = 3, confirmations_count = 2", d.dili, d.official.ID)
	d.Exec(`UPDATE users SET full_name = 'Ana Soares' WHERE id = $1`, d.official.ID)
	d.Exec(`INSERT INTO duplicate_candidates (report_id, candidate_id, similarity, distance_meters) VALUES ($1, $2, 0.9, 3), ($1, $3, 0.8, 4)`, id, twin, gone)
	d.Exec(`WITH a AS (INSERT INTO ai_analyses (id, run_id, report_id, stage, model, prompt_version, input_hash, status, is_relevant, relevance_confidence, relevance_reason, recommended_repair, translations)
		VALUES (gen_random_uuid(), gen_random_uuid(), $1, 'relevance', 'm', 'v', '', 'completed', false, 0.75, 'A cat.', 'Fill it.', '{"tet": {"relevance_reason": "Busa ida."}}') RETURNING id)
		UPDATE reports SET ai_analysis_id = (SELECT id FROM a) WHERE id = $1`, id)
	plain := d.report("ai_status = 'needs_review'")
	got := map[string]func(string) any{}
	for _, item := range d.moderator.Get("/staff/queue?kind=needs_review").Want(http.StatusOK).Object().Items("items") {
		got[item.Text("id")] = item.At
	}
	for member, want := range map[string]any{
		"due_at": "2026-12-24T14:59:59.000Z", "assigned_to.id": d.official.ID.String(), "assigned_to.full_name": "Ana Soares", "ai.is_relevant": false,
		"ai.confidence": 0.75, "ai.relevance_reason": "A cat.", "ai.recommended_repair": "Fill it.", "possible_duplicates_count": 1.0,
		"appeal.reason": "It is a hole.", "appeal.at": "2026-11-01T10:00:00.000Z", "flags_count": 3.0, "confirmations_count": 2.0,
		"assigned_agency.code": "DILI", "reporter.id": d.citizen.ID.String(), "ai_status": "needs_review",
	} {
		if is := got[id](member); is != want {
			t.Errorf("%s is %v, want %v", member, is, want)
		}
	}
	tetum := d.moderator.With("Accept-Language", "tet").Get("/staff/queue?kind=needs_review&assigned_to=" + d.official.ID.String()).Want(http.StatusOK).Object().Items("items")[0]
	if said := tetum.Text("ai.relevance_reason") + " " + tetum.Text("ai.recommended_repair"); said != "Busa ida. Fill it." {
		t.Errorf("in Tetum the AI says %q", said)
	}
	for _, member := range []string{"due_at", "assigned_to", "ai", "appeal"} {
		if is := got[plain](member); is != nil {
			t.Errorf("%s of a plain report is %v", member, is)
		}
	}
	// No list has a phone number or an address of a person.
	d.Exec(`UPDATE users SET phone_number = '77312345' WHERE id = $1`, d.citizen.ID)
	if body := string(d.moderator.Get("/staff/queue?kind=needs_review").Want(http.StatusOK).Body); strings.Contains(body, "77312345") || strings.Contains(body, "@") {
		t.Errorf("a queue has contact data: %s", body)
	}
}

func TestFiltersOfAQueue(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	mod, official := d.moderator, d.official
	other := d.Citizen()
	mine := d.report("status = 'verified', assigned_agency_id = '%s', assigned_user_id = '%s', due_at = '2026-12-01T00:00:00Z'", d.dili, mod.ID)
	colleague := d.report("status = 'verified', assigned_agency_id = '%s', assigned_user_id = '%s', due_at = '2026-12-24T14:59:59Z', source = 'web'", d.dili, official.ID)
	theirs := d.report("status = 'pending', ai_status = 'queued', assigned_agency_id = '%s', due_at = '2026-12-24T15:00:00Z', source = 'open311'", d.other)
	hers := place(d.System, other, fmt.Sprintf("status = 'in_progress', ai_status = 'completed', assigned_agency_id = '%s', issue_type = 'bridge', title = 'Ponte aat'", d.other))
	review := d.report("ai_status = 'needs_review'")
	failed := d.report("ai_status = 'failed'")
	for _, c := range []struct {
		who   *testenv.Client
		query string
		want  []string
	}{
		{mod, "kind=assigned&agency=" + d.dili.String(), []string{mine, colleague}},
		{mod, "kind=assigned&agency=dili", []string{mine, colleague}},
		{mod, "kind=assigned&agency=OTHER", []string{theirs, hers}},
		{mod, "kind=assigned&agency=none", nil},
		{mod, "kind=new&agency=none", nil},
		{official, "kind=assigned&agency=Mine", []string{mine, colleague}},
		{official, "kind=assigned&agency=OTHER", nil},
		{mod, "kind=assigned&assigned_to=me", nil}, // no official,
		{official, "kind=assigned&assigned_to=me", []string{colleague}},
		{mod, "kind=assigned&assigned_to=" + official.ID.String(), []string{colleague}},
		{mod, "kind=assigned&assigned_to=NONE", []string{mine, theirs, hers}},
		{mod, "kind=needs_review&ai_status=failed", []string{failed}},
		{mod, "kind=needs_review&ai_status=Needs-Review,failed", []string{failed, review}},
		{mod, "kind=assigned&reporter=" + other.ID.String(), []string{hers}},
		{mod, "kind=assigned&due_before=2026-12-24", []string{mine}},
		{mod, "kind=assigned&due_before=2026-12-25", []string{mine, colleague}},
		{mod, "kind=assigned&due_before=2026-12-25T00:00:01%2B09:00", []string{mine, colleague, theirs}},
		{mod, "kind=assigned&source=web,Open311", []string{colleague, theirs}},
		{mod, "kind=assigned&issue_type=bridge", []string{hers}},
		{mod, "kind=assigned&status=verified&per_page=1&page=2", []string{mine}},
		{mod, "kind=assigned&q=ponte", []string{hers}},
	} {
		d.finds(c.who, c.query, c.want...)
	}
	for query, field := range map[string]string{
		"agency=NOBODY": "agency", "agency=" + uuid.NewString(): "agency", "agency=mine": "agency", "assigned_to=you": "assigned_to", "ai_status=sad": "ai_status",
		"reporter=maria": "reporter", "due_before=soon": "due_before", "source=fax": "source", "sort=luck": "sort", "order=up": "order", "cursor=x": "cursor",
		"severity=7": "severity",
	} {
		fault := mod.Get("/staff/queue?" + query).Want(http.StatusUnprocessableEntity).Object()
		if fields := fault.Items("errors"); len(fields) != 1 || !strings.HasSuffix(fields[0].Text("field"), field) {
			t.Errorf("%s: %v", query, fault.Values)
		}
	}
	mod.Get("/staff/counts?agency=NOBODY").Want(http.StatusUnprocessableEntity)
	mod.Get("/staff/counts?kind=new").Want(http.StatusUnprocessableEntity)
}

// Each order walks through a queue by cursor without losing or repeating a report, also where all have the same value.
func TestOrdersOfAQueue(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for i := range 12 {
		due := "NULL"
		if i%3 > 0 {
			due = fmt.Sprintf("now() - interval '%d hours'", i/2)
		}
		d.report("status = 'verified', assigned_agency_id = '%s', due_at = %s, priority = '%s', severity = '%s', created_at = now() - interval '%d minutes'",
			d.dili, due, []string{"low", "critical", "medium", "high"}[i%4], []string{"high", "low"}[i%2], i/4)
	}
	for sort, order := range map[string]string{
		"created_at": "created_at", "updated_at": "updated_at", "severity": "array_position('{low,medium,high,critical}'::text[], severity); created_at",
		"priority": "array_position('{low,medium,high,critical}'::text[], priority); created_at", "due_at": "coalesce(due_at, 'infinity')",
	} {
		for _, direction := range []string{"asc", "desc", ""} {
			as := direction
			if direction == "" {
				as = map[bool]string{true: "asc", false: "desc"}[sort == "due_at"]
			}
			want := d.Text(`SELECT string_agg(id::text, ' ' ORDER BY ` + strings.ReplaceAll(order, ";", " "+as+",") + " " + as + `, id ` + as + `) FROM reports`)
			path := "kind=assigned&page_size=5&sort=" + sort
			if direction != "" {
				path += "&order=" + direction
			}
			if got := strings.Join(d.walk("/staff/queue?"+path), " "); got != want {
				t.Errorf("%s %s:\n got %s\nwant %s", sort, direction, got, want)
			}
		}
	}
	// Without an order, the queue overdue begins with what is late longest.
	want := d.Text(`SELECT string_agg(id::text, ' ' ORDER BY due_at, id) FROM reports WHERE due_at < now()`)
	if got := strings.Join(d.listed(d.moderator, "kind=overdue"), " "); got != want {
		t.Errorf("overdue:\n got %s\nwant %s", got, want)
	}
	if got := d.moderator.Get("/staff/queue?kind=assigned&page=9").Want(http.StatusOK).Object(); got.Number("total") != 12 || len(got.Items("items")) != 0 || got.At("has_next") != false {
		t.Errorf("past the last page: %v", got.Values)
	}
}

// walk is the ids of a list, page by page.
func (d *desk) walk(path string) []string {
	d.Helper()
	var out []string
	for next := ""; ; {
		at := path
		if next != "" {
			at += "&cursor=" + next
		}
		got := d.moderator.Get(at).Want(http.StatusOK).Object()
		for _, item := range got.Items("items") {
			out = append(out, item.Text("id"))
		}
		if got.At("next_cursor") == nil {
			return out
		}
		next = got.Text("next_cursor")
	}
}

// What is assigned to somebody who does not work for the agency any more counts as assigned to nobody.
func TestWhatIsAssignedToSomebodyWhoLeftIsAssignedToNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.report("status = 'verified', assigned_agency_id = '%s', assigned_user_id = '%s'", d.dili, d.official.ID)
	for change, want := range map[string]int{
		"suspended_at = now()": 0, "role = 'citizen', agency_id = NULL": 0, "role = 'moderator'": 0, fmt.Sprintf("agency_id = '%s'", d.other): 0, "role = role": 1,
	} {
		d.Exec(`UPDATE users SET suspended_at = NULL, deleted_at = NULL, role = 'government_official', agency_id = $2 WHERE id = $1`, d.official.ID, d.dili)
		d.Exec(`UPDATE users SET `+change+` WHERE id = $1`, d.official.ID)
		for word, found := range map[string]int{d.official.ID.String(): want, "none": 1 - want} {
			if got := d.moderator.Get("/staff/queue?kind=assigned&assigned_to=" + word).Want(http.StatusOK).Object().Number("total"); int(got) != found {
				t.Errorf("%s: %v are assigned to %s, want %d", change, got, word, found)
			}
		}
		if want == 1 || strings.HasPrefix(change, "agency_id") { // after the other changes nobody can ask
			got := d.official.Get("/staff/queue?kind=mine").Want(http.StatusOK).Object()
			if int(got.Number("total")) != want || int(got.Number("counts.mine")) != want {
				t.Errorf("%s: %v are mine, counted %v, want %d", change, got.Number("total"), got.Number("counts.mine"), want)
			}
		}
		item := d.moderator.Get("/staff/queue?kind=assigned").Want(http.StatusOK).Object().Items("items")[0]
		if item.Text("id") != id || (item.At("assigned_to") != nil) != (want == 1) {
			t.Errorf("%s: shown as assigned to %v", change, item.At("assigned_to"))
		}
	}
}

func TestCountsOfTheQueues(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	// The end of the day in Dili is not known to the test: what is due at it or before is due today or was due.
	endOfDay := "(date_trunc('day', now() AT TIME ZONE 'Asia/Dili') + interval '1 day' - interval '1 microsecond') AT TIME ZONE 'Asia/Dili'"
	d.report("status = 'verified', assigned_agency_id = '%s', due_at = %s, assigned_user_id = '%s'", d.dili, endOfDay, d.official.ID)
	d.report("status = 'verified', assigned_agency_id = '%s', due_at = %s, due_paused_at = now()", d.dili, endOfDay)
	d.report("status = 'verified', assigned_agency_id = '%s', due_at = %s", d.other, endOfDay)
	d.report("status = 'verified', assigned_agency_id = '%s', due_at = %s + interval '1 microsecond'", d.other, endOfDay)
	d.report("status = 'verified', assigned_agency_id = '%s', assigned_user_id = '%s', due_at = now() - interval '2 days', flags_count = 1", d.other, d.moderator.ID)
	d.report("status = 'fixed', assigned_agency_id = '%s', due_at = %s", d.dili, endOfDay)
	d.report("ai_status = 'needs_review'")
	d.report("municipality_code = 'TL-DI'")
	d.report("municipality_code = 'TL-BA'")
	for _, c := range []struct {
		who   *testenv.Client
		query string
		want  string // new needs_review flagged assigned mine overdue due_today
	}{
		{d.moderator, "", "2 1 1 5 0 1 2"},
		{d.moderator, "?agency=OTHER", "0 0 1 3 0 1 1"},
		{d.moderator, "?agency=none", "2 1 0 0 0 0 0"},
		{d.official, "", "1 0 0 2 1 0 1"}, // a report whose municipality is not known is in none
		{d.official, "?agency=mine", "0 0 0 2 1 0 1"},
	} {
		got := c.who.Get("/staff/counts" + c.query).Want(http.StatusOK).Object()
		var figures []string
		for _, name := range []string{"new", "needs_review", "flagged", "assigned", "mine", "overdue", "due_today"} {
			figures = append(figures, fmt.Sprint(got.Number(name)))
		}
		if line := strings.Join(figures, " "); line != c.want {
			t.Errorf("%s %s: %s, want %s", c.who.Role, c.query, line, c.want)
		}
		for _, agency := range d.moderator.Get("/staff/agencies").Want(http.StatusOK).List() {
			there := d.moderator.Get("/staff/counts?agency=" + agency.Text("code")).Want(http.StatusOK).Object()
			if agency.Number("open") != there.Number("assigned") || agency.Number("overdue") != there.Number("overdue") {
				t.Errorf("/staff/agencies has %v, the counts of the agency are %v", agency.Values, there.Values)
			}
		}
		inQueue := c.who.Get("/staff/queue" + c.query).Want(http.StatusOK).Object().At("counts")
		if fmt.Sprint(inQueue) != fmt.Sprint(got.Values) {
			t.Errorf("%s %s: the queue counts %v, /staff/counts %v", c.who.Role, c.query, inQueue, got.Values)
		}
	}
}
