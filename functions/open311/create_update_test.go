package open311_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// updateForm is an update as FixMyStreet sends it. An empty value leaves a field out.
func updateForm(key, request, updateID string, more map[string]string) url.Values {
	fields := map[string]string{"api_key": key, "service_request_id": request, "update_id": updateID, "status": "IN_PROGRESS", "description": "The hole is deeper.",
		"updated_datetime": "2026-11-29T10:00:00+09:00", "first_name": "Ana", "last_name": "-"}
	maps.Copy(fields, more)
	out := url.Values{}
	for name, value := range fields {
		if value != "" {
			out.Set(name, value)
		}
	}
	return out
}

// update sends an update and returns its item.
func update(t *testing.T, w *testenv.System, form any) apiclient.Object {
	t.Helper()
	r := w.Anonymous().Post(path("servicerequestupdates.json"), form).Want(http.StatusOK)
	all := items(t, r)
	if len(all) != 1 {
		t.Fatalf("%s", r.Body)
	}
	return apiclient.Object{Values: all[0]}
}

// refusedUpdate sends an update, wants a status and an error about a field, and that no comment was made.
func refusedUpdate(t *testing.T, w *testenv.System, form any, status int, begins string) {
	t.Helper()
	before := w.Int(`SELECT count(*) FROM report_comments`)
	for _, f := range []string{"json", "xml"} {
		checkErrors(t, w.Anonymous().Post(path("servicerequestupdates."+f), form), status, begins)
	}
	if w.Int(`SELECT count(*) FROM report_comments`) != before {
		t.Errorf("%v: a comment was made", form)
	}
}

// An update becomes a comment in the name of the other system, with its event and its receipt. A repeat makes none and gets the same id.
func TestAnUpdateIsACommentOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Serve(reports.Open, open311.Open, community.Open)
	keyID, key := w.APIKey("FixMyStreet Dili")
	number := create(t, w.Anonymous(), filed(key, nil)).Text("service_request_id")
	form := updateForm(key, number, "42", map[string]string{"email": "ana@example.tl", "media_url": "https://pictures.example/1.jpg"})
	first := update(t, w, form)
	receipt := w.Receipt(apiclient.Object{Values: first.At("extensions").(object)})
	if receipt.Event.Text("event") != "COMMENT_ADDED" && receipt.Event.Text("event_type") != "COMMENT_ADDED" || len(receipt.Salt) != 32 || first.Text("service_request_id") != number {
		t.Errorf("%v: %v", first.Values, receipt.Event.Values)
	}
	if got := warned(first); got != "status:not_taken updated_datetime:not_taken email:not_taken first_name:not_taken last_name:not_taken media_url:not_taken" {
		t.Errorf("warnings: %s", got)
	}
	const stored = `SELECT concat_ws('|', c.author_id IS NULL, c.api_key_id = $2, c.content, c.is_official, r.comments_count, r.status) FROM report_comments c JOIN reports r ON r.id = c.report_id WHERE c.id = $1`
	if got := w.Text(stored, first.Text("update_id"), keyID); got != "t|t|The hole is deeper.|f|1|pending" {
		t.Errorf("stored %s", got)
	}
	if n := w.Int(`SELECT count(*) FROM report_comments c WHERE c::text LIKE '%ana@%' OR c::text LIKE '%pictures.example%'`); n != 0 {
		t.Error("what is not kept is in the comment")
	}
	again := update(t, w, form)
	if a, b := encodedItem(t, first), encodedItem(t, again); a != b {
		t.Errorf("a repeat got %s, first %s", b, a)
	}
	asXML := parse(t, w.Anonymous().Post(path("servicerequestupdates.xml"), form).Want(http.StatusOK))
	if asXML.name != "service_request_updates" || asXML.names() != "request_update" || asXML.child("request_update").child("update_id").text != first.Text("update_id") {
		t.Errorf("in XML: %v", asXML)
	}
	if n := w.Int(`SELECT count(*) FROM report_comments`); n != 1 {
		t.Errorf("%d comments", n)
	}
	// Another key has update_ids of its own.
	_, otherKey := w.APIKey("Another")
	w.Exec(`UPDATE reports SET status = 'verified'`)
	if other := update(t, w, updateForm(otherKey, number, "42", nil)); other.Text("update_id") == first.Text("update_id") {
		t.Error("the update of another key was taken for a repeat")
	}
}

func encodedItem(t *testing.T, o apiclient.Object) string {
	t.Helper()
	raw, err := json.Marshal(o.Values)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// What FixMyStreet sends twice at the same time is one comment; and one update_id is one update, on whatever report.
func TestUpdatesAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("FixMyStreet")
	one := create(t, w.Anonymous(), filed(key, nil)).Text("service_request_id")
	two := create(t, w.Anonymous(), filed(key, map[string]string{"description": "Another hole"})).Text("service_request_id")
	for n := range 5 {
		ids, statuses := make([]string, 3), make([]int, 2)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() { ids[i] = update(t, w, updateForm(key, one, fmt.Sprint("same-", n), nil)).Text("update_id") })
		}
		for i, number := range []string{one, two} {
			wg.Go(func() {
				statuses[i] = w.Anonymous().Post(path("servicerequestupdates.json"), updateForm(key, number, fmt.Sprint("both-", n), nil)).Status
			})
		}
		wg.Wait()
		if ids[0] != ids[1] || ids[1] != ids[2] || ids[0] == "" || statuses[0]+statuses[1] != http.StatusOK+http.StatusBadRequest {
			t.Errorf("ids %v, statuses %v", ids, statuses)
		}
	}
	if n := w.Int(`SELECT count(*) FROM report_comments`); n != 10 {
		t.Errorf("%d comments", n)
	}
}

func TestFaultsOfUpdates(t *testing.T) {
	t.Parallel()
	w := setup(t)
	keyID, key := w.APIKey("FixMyStreet")
	number := create(t, w.Anonymous(), filed(key, nil)).Text("service_request_id")
	first := update(t, w, updateForm(key, number, "1", nil)).Text("update_id")
	for _, c := range []struct {
		more   map[string]string
		status int
		words  string
	}{
		{map[string]string{"api_key": ""}, 403, "api_key: required"},
		{map[string]string{"api_key": key + "x"}, 403, "api_key: there is no such key"},
		{map[string]string{"service_request_id": ""}, 400, "service_request_id: required"},
		{map[string]string{"update_id": " "}, 400, "update_id: required"},
		{map[string]string{"update_id": strings.Repeat("1", 256)}, 400, "update_id: at most 255 characters"},
		{map[string]string{"description": "", "status": ""}, 400, "description: required"},
		{map[string]string{"description": strings.Repeat("é", 4001)}, 400, "description: at most 4,000 characters"},
		{map[string]string{"service_request_id": "LS-2026-999999"}, 404, "service_request_id: there is no such request"},
		{map[string]string{"service_request_id": "x' OR 1=1"}, 404, "service_request_id: there is no such request"},
		{map[string]string{"service_request_id": "019a0000-0000-7000-8000-000000000001"}, 404, "service_request_id: there is no such request"},
		{map[string]string{"description": "Other words."}, 400, "update_id: it was sent before with another update"},
	} {
		more := maps.Clone(c.more)
		id := "1"
		if more["description"] != "Other words." {
			id = "2"
		}
		refusedUpdate(t, w, updateForm(key, number, id, more), c.status, c.words)
	}
	checkErrors(t, w.Anonymous().Post(path("servicerequestupdates.json"), object{"api_key": key}), 400, "body: ")
	if got := update(t, w, updateForm(key, number, "3", map[string]string{"description": ""})); w.Text(`SELECT content FROM report_comments WHERE id = $1`, got.Text("update_id")) != "IN_PROGRESS" {
		t.Error("an update without words is not its status")
	}
	update(t, w, updateForm(key, number, "4", map[string]string{"description": strings.Repeat("é", 4000)}))

	// What is taken down is not there any more, for its own key neither. A repeat still gets its answer while the report can be restored.
	for _, change := range []string{`status = 'rejected', reason_code = 'other'`, `status = 'verified', deleted_at = now()`} {
		w.Exec(`UPDATE reports SET ` + change)
		refusedUpdate(t, w, updateForm(key, number, "5", nil), 404, "service_request_id: there is no such request")
		if !strings.Contains(change, "deleted_at") && update(t, w, updateForm(key, number, "1", nil)).Text("update_id") != first {
			t.Error("the repeat has another id")
		}
	}
	w.Exec(`UPDATE api_keys SET revoked_at = now() WHERE id = $1`, keyID)
	w.Serve(groups()...) // a process that has not read the key
	refusedUpdate(t, w, updateForm(key, number, "6", nil), 403, "api_key: there is no such key")
}

// Another key's report takes updates once everybody may comment on it. A citizen's does too, and its reporter is told in the name of the
// other system; the followers are told as well.
func TestUpdatesOnReportsOfOthers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Serve(reports.Open, open311.Open, community.Open, staff.Open)
	_, owner := w.APIKey("Owner")
	_, other := w.APIKey("Municipality")
	number := create(t, w.Anonymous(), filed(owner, nil)).Text("service_request_id")
	refusedUpdate(t, w, updateForm(other, number, "1", nil), 403, "service_request_id: it waits for its verdict")
	update(t, w, updateForm(owner, number, "1", nil))

	citizen := w.Citizen()
	id, mine := file(w, citizen, nil)
	refusedUpdate(t, w, updateForm(other, mine, "2", nil), 403, "service_request_id: it waits for its verdict")
	w.Verify(id)
	update(t, w, updateForm(other, id, "2", nil)) // by its id
	if got := w.Text(`SELECT params ->> 'author' || ': ' || (params ->> 'comment') FROM notifications WHERE user_id = $1 AND type = 'comment_added'`, citizen.ID); got != "Municipality: The hole is deeper." {
		t.Errorf("the reporter was told %q", got)
	}
	if got := citizen.Get("/reports/" + id + "/comments").Want(http.StatusOK).Object().Items("items"); len(got) != 1 || got[0].Text("author.full_name") != "Municipality" {
		t.Errorf("the comments are %v", got)
	}
	moderator := w.Staff(identity.Moderator)
	comment := w.Text(`SELECT id::text FROM report_comments WHERE content = 'The hole is deeper.' AND report_id = $1`, id)
	moderator.Post("/reports/"+id+"/comments/"+comment+"/hide", object{"reason_code": "offensive"}).Want(http.StatusOK)
	update(t, w, updateForm(other, id, "2", nil)) // a repeat is one also while the comment is hidden
	refusedUpdate(t, w, updateForm(other, id, "2", map[string]string{"description": "Better words."}), 400, "update_id: it was sent before")
}

// A key makes as many updates as it may in a minute and in a day. A repeat and a refused request cost nothing of the day. Guesses of keys
// are limited by the address that they come from.
func TestLimitsOfUpdates(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Env["RATE_LIMIT_KEY_UPDATES_PER_DAY"] = "2"
	w.Serve(groups()...)
	_, key := w.APIKey("FixMyStreet")
	number := create(t, w.Anonymous(), filed(key, nil)).Text("service_request_id")
	for range 4 {
		update(t, w, updateForm(key, number, "1", nil))
	}
	refusedUpdate(t, w, updateForm(key, "LS-2026-999999", "2", nil), 404, "")
	update(t, w, updateForm(key, number, "2", nil))
	got := w.Anonymous().Post(path("servicerequestupdates.xml"), updateForm(key, number, "3", nil))
	checkErrors(t, got, http.StatusTooManyRequests, "")
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}

	w.Env["RATE_LIMIT_VIEW_PER_MINUTE"] = "3"
	w.Serve(groups()...)
	for n := range 4 {
		status := http.StatusForbidden
		if n == 3 {
			status = http.StatusTooManyRequests
		}
		checkErrors(t, w.Anonymous().Post(path("servicerequestupdates.json"), updateForm(fmt.Sprint("lsk_", n), number, "4", nil)), status, "")
	}
}
