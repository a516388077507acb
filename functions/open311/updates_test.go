package open311_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// updates are the updates of a report as "STATUS code description", oldest first.
func updates(t *testing.T, nobody *testenv.Client, number, query string) []string {
	t.Helper()
	out := []string{}
	for _, u := range nobody.Get(path("servicerequestupdates.json?" + query)).Want(http.StatusOK).List() {
		if u.Text("service_request_id") != number {
			continue
		}
		if !w3.MatchString(u.Text("updated_datetime")) || u.Text("update_id") == "" {
			t.Errorf("%v", u)
		}
		out = append(out, strings.TrimSpace(u.Text("status")+" "+u.Text("external_status_code")+" "+u.Text("description")))
	}
	return out
}

// Each move is an update with its public note. The words of FixMyStreet are kept apart from ours.
func TestUpdatesOfALife(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, admin, nobody := w.Citizen(), w.Staff(identity.Admin), w.Anonymous()
	id, number := file(w, c, nil)
	_, original := file(w, c, object{"title": "Another"})
	move := func(status, note string, more object) {
		t.Helper()
		body := object{"status": status}
		if note != "" {
			body["note"] = note
		}
		for k, v := range more {
			body[k] = v
		}
		admin.Post("/reports/"+id+"/status", body).Want(http.StatusOK)
	}
	if got := updates(t, nobody, number, ""); len(got) != 0 {
		t.Errorf("a new report has updates: %v", got)
	}
	move("verified", "", nil)
	move("in_progress", "", nil)
	move("fixed", "Filled with asphalt", nil)
	move("in_progress", "Not yet", nil)
	move("verified", "Later", nil)
	move("duplicate", "", object{"duplicate_of": original})
	move("pending", "Not the same", nil)
	want := []string{"OPEN verified", "IN_PROGRESS in_progress", "FIXED fixed Filled with asphalt", "IN_PROGRESS in_progress Not yet", "OPEN verified Later", "DUPLICATE duplicate", "OPEN pending"}
	hidden := slices.Clone(want)
	for i, step := range hidden { // while it waits for a verdict, no note of it is shown
		hidden[i] = strings.Join(strings.Fields(step)[:2], " ")
	}
	if got := updates(t, nobody, number, ""); !slices.Equal(got, hidden) {
		t.Errorf("pending again: %v, want %v", got, hidden)
	}
	move("verified", "", nil)
	want[6] += " Not the same"
	if got := updates(t, nobody, number, ""); !slices.Equal(got, append(slices.Clone(want), "OPEN verified")) {
		t.Errorf("%v, want %v", got, want)
	}
	asXML := parse(t, nobody.Get(path("servicerequestupdates.xml")).Want(http.StatusOK))
	if asXML.name != "service_request_updates" || len(asXML.children) != 8 || asXML.children[0].name != "request_update" ||
		asXML.children[0].names() != "update_id service_request_id status updated_datetime external_status_code" ||
		asXML.children[2].names() != "update_id service_request_id status updated_datetime description external_status_code" {
		t.Errorf("%+v", asXML)
	}
}

// A report that goes out of public sight ends with one update, which has the reason and no words. One that comes back has its moves again,
// and the rejection has the id that it had.
func TestUpdatesOfWhatIsTakenDown(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, admin, nobody := w.Citizen(), w.Staff(identity.Admin), w.Anonymous()
	update := func(number string) []apiclient.Object {
		t.Helper()
		var out []apiclient.Object
		got := nobody.Get(path("servicerequestupdates.json")).Want(http.StatusOK)
		if strings.Contains(string(got.Body), "Secret") {
			t.Errorf("%s", got.Body)
		}
		for _, u := range got.List() {
			if u.Text("service_request_id") == number {
				out = append(out, u)
			}
		}
		return out
	}
	rejected, number := file(w, c, nil)
	admin.Post("/reports/"+rejected+"/status", object{"status": "verified", "note": "Secret: nobody sees this report any more"}).Want(http.StatusOK)
	admin.Post("/reports/"+rejected+"/status", object{"status": "rejected", "reason_code": "offensive", "note": "Secret note of a rejection"}).Want(http.StatusOK)
	first := update(number)
	if len(first) != 1 || first[0].Text("status") != "CLOSED" || first[0].Text("external_status_code") != "offensive" || first[0].Text("description") != "" {
		t.Errorf("rejected: %v", first)
	}
	w.Exec(`UPDATE report_status_history SET note = NULL WHERE report_id = $1 AND new_status = 'verified'`, rejected)
	admin.Post("/reports/"+rejected+"/status", object{"status": "pending", "note": "Back"}).Want(http.StatusOK)
	if got := update(number); len(got) != 3 || got[1].Text("update_id") != first[0].Text("update_id") || got[1].Text("status") != "CLOSED" || got[2].Text("status") != "OPEN" {
		t.Errorf("restored: %v, first %v", got, first)
	}
	admin.Post("/reports/"+rejected+"/status", object{"status": "verified"}).Want(http.StatusOK)
	if got := update(number); len(got) != 4 || got[1].Text("description") != "" || got[2].Text("description") != "Back" { // nor does anybody read the note of the rejection
		t.Errorf("verified again: %v", got)
	}
	withdrawn, number := file(w, c, nil)
	c.Delete("/reports/" + withdrawn).Want(http.StatusOK)
	if got := update(number); len(got) != 1 || got[0].Text("status") != "CLOSED" || got[0].Text("external_status_code") != "withdrawn" || got[0].Text("update_id") != withdrawn+"-removed" {
		t.Errorf("withdrawn: %v", got)
	}
	removed, number := file(w, c, object{"title": "Another"})
	w.Verify(removed)
	admin.Do(http.MethodDelete, "/reports/"+removed, object{"reason_code": "personal_data"}).Want(http.StatusOK)
	if got := update(number); len(got) != 1 || got[0].Text("external_status_code") != "personal_data" {
		t.Errorf("removed: %v", got)
	}
}

// A note of an override is for staff, in updates and in status_notes.
func TestNotesOfOverridesAreForStaff(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, admin, nobody := w.Citizen(), w.Staff(identity.Admin), w.Anonymous()
	id, number := file(w, c, nil)
	admin.Post("/reports/"+id+"/status", object{"status": "verified", "note": "Secret reason of an override"}).Want(http.StatusOK)
	w.Exec(`INSERT INTO ai_analyses (id, report_id, run_id, stage, model, prompt_version, input_hash, status, created_at)
		SELECT gen_random_uuid(), report_id, gen_random_uuid(), 'override', 'm', '1', '', 'completed', created_at
		FROM report_status_history WHERE report_id = $1 AND new_status = 'verified'`, id)
	for _, p := range []string{"servicerequestupdates.json", "requests/" + number + ".json", "requests.csv"} {
		if got := nobody.Get(path(p)); strings.Contains(string(got.Body), "Secret") {
			t.Errorf("%s", got.Body)
		}
	}
}

// The dates are those of the updates. Without dates it is the latest day.
func TestUpdatesBetweenDates(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, admin, nobody := w.Citizen(), w.Staff(identity.Admin), w.Anonymous()
	id, number := file(w, c, nil)
	for _, status := range []string{"verified", "in_progress"} {
		admin.Post("/reports/"+id+"/status", object{"status": status}).Want(http.StatusOK)
	}
	w.Exec(`UPDATE report_status_history SET created_at = now() - interval '2 days' WHERE report_id = $1 AND new_status = 'verified'`, id)
	w.Exec(`UPDATE report_status_history SET created_at = date_trunc('second', now() - interval '1 hour') + interval '0.7 s' WHERE report_id = $1 AND new_status = 'in_progress'`, id)
	at := nobody.Get(path("servicerequestupdates.json")).Want(http.StatusOK).List()
	if len(at) != 1 {
		t.Fatalf("without dates: %v", at)
	}
	moved := at[0].Text("updated_datetime")
	earlier := time.Now().Add(-time.Hour * 72).UTC().Format(time.RFC3339)
	for query, want := range map[string][]string{
		"start_date=&end_date=":                              {"IN_PROGRESS in_progress"},
		"start_date=" + moved + "&end_date=" + moved:         {"IN_PROGRESS in_progress"},
		"start_date=" + earlier:                              {"OPEN verified", "IN_PROGRESS in_progress"},
		"start_date=" + earlier + "&page_size=1":             {"OPEN verified"},
		"start_date=" + earlier + "&page_size=1&page=2":      {"IN_PROGRESS in_progress"},
		"start_date=" + earlier + "&page_size=1&page=3":      {},
		"start_date=" + earlier + "&end_date=" + earlier:     {},
		"start_date=" + earlier + "&api_key=x&page=99999999": {},
	} {
		if got := updates(t, nobody, number, query); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
	if link := nobody.Get(path("servicerequestupdates.xml?page_size=1&start_date=" + earlier)).Header.Get("Link"); !strings.Contains(link, `rel="next"`) {
		t.Errorf("links %q", link)
	}
	w.Serve(reports.Open, open311.OpenBounded(1<<20, 1<<20, 10, 1))
	checkErrors(t, nobody.Get(path("servicerequestupdates.xml?page_size=1&page=3&start_date="+earlier)), http.StatusBadRequest, "page: ")
	checkErrors(t, nobody.Get(path("servicerequestupdates.xml?start_date=x")), http.StatusBadRequest, "start_date: ")
	checkErrors(t, nobody.Get(path("servicerequestupdates.json?start_date=2026-01-01T00:00:00Z&end_date=2026-06-01T00:00:00Z")), http.StatusBadRequest, "end_date: ")
}

// The picture of a repair goes with its update.
func TestUpdateHasThePictureOfTheRepair(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Env["PUBLIC_BASE_URL"] = "https://street.example.tl"
	w.Serve(groups()...)
	c, admin, nobody := w.Citizen(), w.Staff(identity.Admin), w.Anonymous()
	id, number := file(w, c, nil)
	for _, status := range []string{"verified", "in_progress"} {
		admin.Post("/reports/"+id+"/status", object{"status": status}).Want(http.StatusOK)
	}
	image := admin.Form("/reports/"+id+"/images", map[string]string{"kind": "resolution"}, "file", "a.jpg", w.JPEG(9)).Want(http.StatusCreated).Object().Text("id")
	w.ProcessUpload(w.Text(`SELECT upload_id::text FROM report_images WHERE id = $1`, image))
	admin.Post("/reports/"+id+"/status", object{"status": "fixed"}).Want(http.StatusOK)
	all := nobody.Get(path("servicerequestupdates.json")).Want(http.StatusOK).List()
	if got := all[2].Text("media_url"); got != fmt.Sprintf("https://street.example.tl/api/v1/public/reports/%s/images/%s/display", number, image) || all[1].Text("media_url") != "" {
		t.Errorf("%v", all)
	}
}
