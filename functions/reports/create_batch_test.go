package reports_test

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"
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
