package security

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// act is an operation of staff on a report of another person, and what its reporter is told.
type act struct {
	name string
	// operation is the method and path in the OpenAPI document.
	operation string
	// before is the status of the report.
	before string
	do     func(c *testenv.Client, r reported) int
	// typ and variant are those of the notification. A quiet one is shown in the app only.
	typ, variant string
	quiet        bool
	// says is a part of its text in English.
	says string
}

// reported is a report with a picture, a duplicate and an original.
type reported struct{ id, image, original string }

// untold are operations of staff that change nothing of what the reporter sees, or that other tests cover.
var untold = map[string]string{
	"POST /api/v1/reports/{id}/notes":    "only staff read notes",
	"POST /api/v1/reports/{id}/comments": "TestComments",
	"POST /api/v1/reports/{id}/follow":   "it changes nothing of the report",
	"DELETE /api/v1/reports/{id}/follow": "it changes nothing of the report",
	"POST /api/v1/reports/{id}/confirm":  "TestConfirm",
	"POST /api/v1/reports/{id}/dispute":  "TestDispute",
	"POST /api/v1/reports/{id}/appeal":   "by the reporter alone",
	"POST /api/v1/reports/{id}/flag":     "TestFlagsOfSeveralPeopleHide in functions/reports",
}

func acts(w *testenv.System) []act {
	send := func(method, path string, body any) func(c *testenv.Client, r reported) int {
		return func(c *testenv.Client, r reported) int {
			path := strings.ReplaceAll(path, "IMAGE", r.image)
			if o, ok := body.(object); ok && o["duplicate_of"] != nil {
				o["duplicate_of"] = r.original
			}
			return c.Do(method, "/reports/"+r.id+path, body).Status
		}
	}
	const (
		status = "POST /api/v1/reports/{id}/status"
		patch  = "PATCH /api/v1/reports/{id}"
		remove = "DELETE /api/v1/reports/{id}"
		over   = "POST /api/v1/reports/{id}/ai-analysis/override"
	)
	return []act{
		{name: "verify", operation: status, before: "pending", do: send("POST", "/status", object{"status": "verified"}), typ: "report_verified"},
		{name: "reject", operation: status, before: "pending", typ: "report_rejected", says: "it shows personal data, such as a face, a name or a phone number. Crop it.",
			do: send("POST", "/status", object{"status": "rejected", "reason_code": "personal_data", "note": "Crop it"})},
		{name: "duplicate", operation: status, before: "pending", do: send("POST", "/status", object{"status": "duplicate", "duplicate_of": "x"}), typ: "report_duplicate"},
		{name: "begin", operation: status, before: "verified", do: send("POST", "/status", object{"status": "in_progress"}), typ: "report_status_changed"},
		{name: "fix", operation: status, before: "in_progress", do: send("POST", "/status", object{"status": "fixed", "note": "Filled"}), typ: "report_fixed", says: "Note: Filled."},
		{name: "hand back", operation: status, before: "in_progress", do: send("POST", "/status", object{"status": "verified", "note": "Rain"}), typ: "report_verified", says: "Rain."},
		{name: "reopen", operation: status, before: "fixed", do: send("POST", "/status", object{"status": "in_progress", "note": "Broke again"}),
			typ: "report_status_changed", says: "Broke again."},
		{name: "return", operation: status, before: "rejected", do: send("POST", "/status", object{"status": "pending"}), typ: "report_status_changed"},
		{name: "verify by PATCH", operation: patch, before: "pending", do: send("PATCH", "", object{"status": "verified"}), typ: "report_verified"},
		{name: "title", operation: patch, before: "verified", do: send("PATCH", "", object{"title": "Other"}), typ: "report_edited", variant: "words"},
		{name: "type", operation: patch, before: "verified", do: send("PATCH", "", object{"issue_type": "bridge"}), typ: "report_edited", variant: "words"},
		{name: "severity", operation: patch, before: "verified", do: send("PATCH", "", object{"severity": "low"}), typ: "report_edited", variant: "details", quiet: true},
		{name: "address", operation: patch, before: "verified", do: send("PATCH", "", object{"suco": "Comoro"}), typ: "report_edited", variant: "details", quiet: true},
		{name: "assign", operation: "POST /api/v1/reports/{id}/assign", before: "verified", do: send("POST", "/assign", object{}), typ: "report_assigned"},
		{name: "assign in bulk", operation: "POST /api/v1/staff/reports/bulk-assign", before: "verified", typ: "report_assigned", do: func(c *testenv.Client, r reported) int {
			return c.Post("/staff/reports/bulk-assign", object{"items": []object{{"report_id": r.id}}}).Status
		}},
		{name: "back to the moderators", operation: "POST /api/v1/reports/{id}/hand-back", before: "verified", typ: "report_assigned", variant: "handed_back", quiet: true,
			do: func(c *testenv.Client, r reported) int {
				w.Exec(`UPDATE reports SET assigned_agency_id = (SELECT id FROM agencies) WHERE id = $1`, r.id)
				return c.Post("/reports/"+r.id+"/hand-back", object{"note": "Not ours"}).Status
			}},
		{name: "remove", operation: remove, before: "verified", do: send("DELETE", "", object{"reason_code": "other", "note": "A court asked for it"}),
			typ: "report_removed", says: "was removed: A court asked for it."},
		{name: "remove by query", operation: remove, before: "fixed", do: send("DELETE", "?reason_code=Offensive", nil), typ: "report_removed", says: "insult"},
		{name: "remove picture", operation: "DELETE /api/v1/reports/{id}/images/{img_id}", before: "verified", do: send("DELETE", "/images/IMAGE", nil),
			typ: "report_edited", variant: "picture_removed"},
		{name: "add picture", operation: "POST /api/v1/reports/{id}/images", before: "in_progress", typ: "report_edited", variant: "picture_added", quiet: true,
			do: func(c *testenv.Client, r reported) int {
				return c.Post("/reports/"+r.id+"/images", object{"upload_id": uploaded(c, w, 1), "kind": "resolution"}).Status
			}},
		{name: "hide picture", operation: "POST /api/v1/reports/{id}/images/{img_id}/hide", before: "verified", typ: "report_edited", variant: "picture_hidden",
			says: "it contains words or pictures that insult people.", do: send("POST", "/images/IMAGE/hide", object{"reason_code": "offensive"})},
		{name: "show picture", operation: "POST /api/v1/reports/{id}/images/{img_id}/unhide", before: "verified", typ: "report_edited", variant: "picture_shown",
			do: func(c *testenv.Client, r reported) int {
				w.Exec(`UPDATE report_images SET hidden = 'moderator', hidden_reason = 'offensive' WHERE id = $1`, r.image)
				return c.Post("/reports/"+r.id+"/images/"+r.image+"/unhide", nil).Status
			}},
		{name: "redact picture", operation: "POST /api/v1/reports/{id}/images/{img_id}/redact", before: "verified", typ: "report_edited", variant: "picture_redacted",
			says: "A face.", do: func(c *testenv.Client, r reported) int {
				w.Exec(`UPDATE uploads SET state = 'processed' WHERE id = (SELECT upload_id FROM report_images WHERE id = $1)`, r.image)
				return c.Post("/reports/"+r.id+"/images/"+r.image+"/redact", object{"reason_code": "other", "note": "A face",
					"boxes": []object{{"x": 0, "y": 0, "width": 1, "height": 1}}}).Status
			}},
		{name: "hide words", operation: "POST /api/v1/reports/{id}/hide", before: "verified", do: send("POST", "/hide", object{"reason_code": "offensive"}),
			typ: "report_edited", variant: "words_hidden", says: "it contains words or pictures that insult people."},
		{name: "show words", operation: "POST /api/v1/reports/{id}/unhide", before: "verified", typ: "report_edited", variant: "words_shown",
			do: func(c *testenv.Client, r reported) int {
				w.Exec(`UPDATE reports SET words_hidden = 'moderator', words_hidden_reason = 'offensive' WHERE id = $1`, r.id)
				return c.Post("/reports/"+r.id+"/unhide", nil).Status
			}},
		{name: "dismiss flags", operation: "POST /api/v1/reports/{id}/flags/dismiss", before: "verified", typ: "report_edited", variant: "flags_dismissed",
			do: func(c *testenv.Client, r reported) int {
				w.Exec(`UPDATE reports SET words_hidden = 'flags', words_hidden_reason = 'offensive' WHERE id = $1`, r.id)
				return c.Post("/reports/"+r.id+"/flags/dismiss", nil).Status
			}},
		{name: "relevant", operation: over, before: "pending", do: send("POST", "/ai-analysis/override", object{"is_relevant": true, "note": "Seen"}), typ: "report_verified"},
		{name: "irrelevant", operation: over, before: "pending", do: send("POST", "/ai-analysis/override", object{"is_relevant": false, "note": "A cat"}),
			typ: "report_rejected", says: "A cat."},
		{name: "graded", operation: over, before: "verified", do: send("POST", "/ai-analysis/override", object{"is_relevant": true, "severity": "low", "note": "Seen"}),
			typ: "report_edited", variant: "details", quiet: true},
		{name: "in bulk", operation: "POST /api/v1/staff/reports/bulk-status", before: "pending", typ: "report_verified", do: func(c *testenv.Client, r reported) int {
			return c.Post("/staff/reports/bulk-status", object{"items": []object{{"report_id": r.id, "status": "verified"}}}).Status
		}},
	}
}

// Whatever staff change of what a reporter sees, the reporter is told, in the app and,
// unless it is a detail, by mail and push. Staff who act on their own reports are not.
func TestNobodyIsSilentlyActedUpon(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Agency("DILI")
	citizen, admin := w.Citizen(), w.Staff(identity.Admin)
	all := acts(w)
	everyActOfStaff(t, all)
	for _, a := range all {
		for _, reporter := range []*testenv.Client{citizen, admin} {
			picture := uploaded(reporter, w, 2)
			created := reporter.Post("/reports", draft(object{"title": "Hole", "images": []object{{"upload_id": picture}}})).Want(http.StatusCreated).Object()
			r := reported{id: created.Text("id"), image: created.Items("images")[0].Text("id")}
			r.original = reporter.Post("/reports", draft(object{"latitude": -8.6})).Want(http.StatusCreated).Object().Text("id")
			w.Exec(`UPDATE reports SET status = $2, ai_status = 'completed' WHERE id = $1`, r.id, a.before)
			w.Exec(`DELETE FROM notifications`)
			w.Exec(`DELETE FROM outbox`)
			if reporter == admin && a.before == "pending" && strings.HasPrefix(a.operation, "DELETE") {
				continue
			}
			if status := a.do(admin, r); status >= 300 {
				t.Fatalf("%s: status %d", a.name, status)
			}
			told := w.Int(`SELECT count(*) FROM notifications`)
			if reporter == admin {
				if told != 0 {
					t.Errorf("%s: whoever acts is told of it", a.name)
				}
				continue
			}
			const q = `SELECT count(*) FROM notifications WHERE user_id = $1 AND type = $2 AND coalesce(params ->> 'variant', '') = $3 AND report_id = $4`
			if n := w.Int(q, citizen.ID, a.typ, a.variant, r.id); n != 1 || told != 1 {
				t.Errorf("%s: %d notifications, of %d", a.name, n, told)
				continue
			}
			if n := w.Int(`SELECT count(*) FROM outbox WHERE body ? 'notification_id'`); (n == 0) != a.quiet {
				t.Errorf("%s: %d messages for mail and push", a.name, n)
			}
			item := citizen.Get("/notifications").Want(http.StatusOK).Object().Items("items")[0]
			if text := item.Text("body"); !strings.Contains(text, created.Text("report_number")) || !strings.Contains(text, a.says) {
				t.Errorf("%s: the reporter reads %q", a.name, text)
			}
		}
	}
}

// everyActOfStaff fails the test for every operation by which staff may change a report and that has no act.
func everyActOfStaff(t *testing.T, all []act) {
	t.Helper()
	raw, err := openapi.Whole()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{}
	for _, a := range all {
		covered[a.operation] = true
	}
	changes := regexp.MustCompile(`^(POST|PATCH|PUT|DELETE) /api/v1/(staff/reports/|reports/\{)`)
	for path, item := range doc.Paths {
		for method := range item {
			operation := strings.ToUpper(method) + " " + path
			if changes.MatchString(operation) && !covered[operation] && untold[operation] == "" && !strings.Contains(path, "/comments/") {
				t.Errorf("%s: add an act to this test, or say in untold why the reporter is not told", operation)
			}
		}
	}
}

// The reporter of a duplicate was promised to hear of the repair. When the original goes, they are told that a person
// looks at theirs again, and it is in the queue needs_review.
func TestTheReporterOfADuplicateHearsThatItsOriginalIsGone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	admin := w.Staff(identity.Admin)
	for name, end := range map[string]func(owner *testenv.Client, path string) int{
		"withdrawn": func(owner *testenv.Client, path string) int { return owner.Delete(path).Status },
		"removed":   func(_ *testenv.Client, path string) int { return admin.Delete(path + "?reason_code=unsafe").Status },
		"rejected": func(_ *testenv.Client, path string) int {
			return admin.Post(path+"/status", object{"status": "rejected", "reason_code": "other", "note": "Call 77001122"}).Status
		},
	} {
		owner, second := w.Citizen(), w.Citizen()
		original := owner.Post("/reports", draft(nil)).Want(http.StatusCreated).Object()
		duplicate := second.Post("/reports", draft(nil)).Want(http.StatusCreated).Object()
		own := owner.Post("/reports", draft(nil)).Want(http.StatusCreated).Object() // the owner reported it twice
		for _, d := range []string{duplicate.Text("id"), own.Text("id")} {
			admin.Post("/reports/"+d+"/status", object{"status": "duplicate", "duplicate_of": original.Text("id")}).Want(http.StatusOK)
		}
		w.Exec(`DELETE FROM notifications`)
		if status := end(owner, "/reports/"+original.Text("id")); status != http.StatusOK {
			t.Fatalf("%s: %d", name, status)
		}
		items := second.Get("/notifications").Want(http.StatusOK).Object().Items("items")
		if len(items) != 1 || items[0].Text("type") != "report_status_changed" || items[0].Text("data.report_id") != duplicate.Text("id") ||
			!strings.Contains(items[0].Text("body"), duplicate.Text("report_number")) || !strings.Contains(items[0].Text("body"), original.Text("report_number")) {
			t.Errorf("%s: the reporter of the duplicate reads %v", name, items)
		}
		if name == "rejected" && strings.Contains(items[0].Text("body"), "77001122") {
			t.Errorf("the note of a rejection is shown to another person: %s", items[0].Text("body"))
		}
		queue := string(admin.Get("/staff/queue?kind=needs_review").Want(http.StatusOK).Body)
		if !strings.Contains(queue, duplicate.Text("report_number")) {
			t.Errorf("%s: the duplicate is in no queue", name)
		}
		want := 0
		if name != "withdrawn" { // removed or rejected: by somebody else
			want = 2
		}
		if got := len(owner.Get("/notifications").Object().Items("items")); got != want {
			t.Errorf("%s: its owner is told %d times, want %d", name, got, want)
		}
	}
}

// A moderator's words are marked as such, and the reporter's own words are kept for staff.
func TestWordsOfAModeratorAreMarked(t *testing.T) {
	t.Parallel()
	w := setup(t)
	citizen, moderator := w.Citizen(), w.Staff(identity.Moderator)
	path := "/reports/" + citizen.Post("/reports", draft(object{"title": "Hole", "description": "Call me", "issue_type": "Lubuk"})).Want(http.StatusCreated).Object().Text("id")
	if got := citizen.Patch(path, object{"title": "Big hole"}).Want(http.StatusOK).Object(); got.At("content_edited") != nil {
		t.Errorf("the reporter's own change is marked: %v", got.Values)
	}
	moderator.Patch(path, object{"severity": "high", "status": "verified"}).Want(http.StatusOK)
	if got := citizen.Get(path).Object(); got.At("content_edited") != nil {
		t.Error("another severity is marked as other words")
	}
	moderator.Patch(path, object{"description": "", "issue_type": "pothole"}).Want(http.StatusOK)
	got := moderator.Patch(path, object{"title": "Hole in the road"}).Want(http.StatusOK).Object()
	if got.At("content_edited") != true || got.Text("original_words.title") != "Big hole" || got.Text("original_words.description") != "Call me" ||
		got.Text("original_words.issue_type") != "other" || got.Text("original_words.issue_type_raw") != "Lubuk" {
		t.Errorf("staff read %v", got.Values)
	}
	for _, reader := range []*testenv.Client{citizen, w.Citizen()} {
		if got := reader.Get(path).Want(http.StatusOK).Object(); got.At("content_edited") != true || got.At("original_words") != nil {
			t.Errorf("others read %v", got.Values)
		}
	}
	citizen.Do(http.MethodDelete, "/users/"+citizen.ID.String(), nil).Want(http.StatusOK)
	if got := moderator.Get(path).Object(); got.At("original_words") != nil || got.At("content_edited") != true {
		t.Errorf("after the erasure staff read %v", got.Values)
	}
}
