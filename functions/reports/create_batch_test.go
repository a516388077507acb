package reports_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

func offline(n int) []object {
	all := make([]object, n)
	for i := range all {
		all[i] = newBody(object{"client_id": uuid.NewString(), "latitude": -8.5 + float64(i)/1000, "created_offline": true})
	}
	return all
}

func TestBatch(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	all := offline(6)
	all[1]["latitude"] = 99
	delete(all[2], "client_id")
	all[3] = object{"client_id": all[3]["client_id"], "lat": -8.1, "lng": 125, "type": "whatever"}
	all[4]["latitude"] = 0
	all[4]["longitude"] = 0
	body := object{"reports": []any{all[0], all[1], all[2], all[3], all[4], all[5], 7}}
	got := c.Post("/reports/batch", body).Want(http.StatusOK).Object().Items("results")
	for i, want := range []string{"created", "error invalid_input", "created", "created", "error outside_area", "created", "error invalid_input"} {
		word := got[i].Text("status")
		if code := got[i].Text("code"); code != "" {
			word += " " + code
		}
		if word != want {
			t.Errorf("item %d: %v, want %s", i, got[i].Values, want)
		}
	}
	if got[1].Items("errors")[0].Text("field") != "latitude" || got[3].Text("report.issue_type_raw") != "whatever" {
		t.Errorf("got %v", got[3].Values)
	}
	again := c.Post("/reports/batch", body).Want(http.StatusOK).Object().Items("results")
	if again[0].Text("status") != "duplicate" || again[0].Text("report.id") != got[0].Text("report.id") {
		t.Errorf("again: %v", again[0].Values)
	}
	all[0]["title"], all[0]["issue_type"] = "Another", "bridge"
	clash := c.Post("/reports/batch", object{"reports": all[:1]}).Want(http.StatusOK).Object().Items("results")[0]
	if clash.Text("status") != "conflict" || len(clash.Text("stored_hash")) != 64 || clash.Text("stored_hash") == clash.Text("sent_hash") {
		t.Errorf("conflict: %v", clash.Values)
	}
	if n := w.Int(`SELECT count(*) FROM reports WHERE title = 'Another'`); n != 0 {
		t.Error("a conflict overwrote the report")
	}
	c.Post("/reports/batch", object{"reports": []object{}}).Want(http.StatusUnprocessableEntity)
	c.Post("/reports/batch", object{"reports": offline(51)}).Want(http.StatusUnprocessableEntity)
}

func TestReplaysOfAnyPrefixInAnyOrderAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	all := offline(12)
	var wg sync.WaitGroup
	for range 6 {
		part := append([]object(nil), all[:1+rand.IntN(len(all))]...)
		rand.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
		wg.Go(func() { c.Post("/reports/batch", object{"reports": part}).Want(http.StatusOK) })
	}
	wg.Wait()
	c.Post("/reports/batch", object{"reports": all}).Want(http.StatusOK)
	for sql, want := range map[string]int{
		`SELECT count(*) FROM reports`:                        12,
		`SELECT count(*) FROM ledger_events`:                  12,
		`SELECT count(*) FROM notifications`:                  12,
		`SELECT count(*) FROM report_status_history`:          12,
		`SELECT max(reports_count) FROM users`:                12,
		`SELECT max(last) FROM report_numbers`:                12,
		`SELECT count(*) FROM outbox WHERE queue = 'geocode'`: 12,
	} {
		if got := w.Int(sql); got != want {
			t.Errorf("%s: %d, want %d", sql, got, want)
		}
	}
}

// A number that no float64 can hold costs its member, or its item where the member is required; never another item.
func TestANumberOutOfRangeStaysInItsItem(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	const place = `"issue_type":"pothole","latitude":-8.5,"longitude":125.`
	items := []string{`{` + place + `5}`, `{` + place + `6,"device_info":{"a":[1e999]}}`, `{"issue_type":"pothole","latitude":-1e999,"longitude":125.5}`,
		`{` + place + `7,"severity":1e400,"location_accuracy":1e400,"unknown":[1e400]}`, `1e400`, `{` + place + `8,"captured_at":1e400}`}
	body := apiclient.Raw{ContentType: "application/json", Body: []byte(`{"reports":[` + strings.Join(items, ",") + `],"unknown":1e400}`)}
	got := c.Post("/reports/batch", body).Want(http.StatusOK).Object().Items("results")
	for i, want := range []string{"created ", "created device_info unreadable", "error ", "created location_accuracy out_of_range, severity unreadable", "error ",
		"created captured_at unreadable"} {
		if is := got[i].Text("status") + " " + warned(got[i]); is != want {
			t.Errorf("item %d: %s, want %s", i, is, want)
		}
	}
}

// Null under the first name of a member counts as absent, so another name of it counts: single, in a batch and in a form.
func TestNullDoesNotHideAnotherName(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	id := uuid.NewString()
	body := object{"latitude": nil, "lat": -8.5, "longitude": nil, "lng": 125.5, "issue_type": nil, "type": "flood", "client_id": nil, "local_id": id}
	item := c.Post("/reports/batch", object{"reports": []any{body}}).Want(http.StatusOK).Object().Items("results")[0]
	if item.Text("client_id") != id || item.Text("report.client_id") != id || item.Text("report.issue_type") != "flooding" || warned(item) != "" {
		t.Errorf("batch: %v", item.Values)
	}
	delete(body, "client_id")
	body["local_id"], body["issue_type"], body["category"] = uuid.NewString(), "", "flood"
	single := c.Post("/reports", body).Want(http.StatusCreated).Object()
	if single.Text("issue_type") != "flooding" || single.Number("latitude") != -8.5 || warned(single) != "" {
		t.Errorf("single: %v", single.Values)
	}
	form := c.Form("/reports", map[string]string{"latitude": "null", "lat": "-8.6", "longitude": "", "lng": "125.5", "issue_type": "", "type": "flood"},
		"picture", "a.jpg", w.JPEG(1)).Want(http.StatusCreated).Object()
	if form.Text("issue_type") != "flooding" || form.Number("latitude") != -8.6 || warned(form) != "" {
		t.Errorf("form: %v", form.Values)
	}
}
