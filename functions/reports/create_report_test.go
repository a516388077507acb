package reports_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// The answer to POST /reports is made without reading the report. It must equal the answer to GET of the report.
func TestTheAnswerToCreateIsTheReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	w.Exec(`UPDATE users SET avatar_upload_id = $2 WHERE id = $1`, c.ID, ready(w, c, 9))
	for name, changes := range map[string]object{
		"plain":     nil,
		"pending":   {"images": []object{{"upload_id": uploaded(c, w, 1)}}},
		"processed": {"images": []object{{"upload_id": ready(w, c, 2)}}},
		"anonymous": {"is_anonymous": true, "client_id": uuid.NewString()},
		"all": {"client_id": uuid.NewString(), "issue_type": "Lubuk \"<&>\"", "location_accuracy": 6.3, "address": "Rua A", "street": "B",
			"suco": "C", "district": "D", "municipality": "Díli", "severity": "critical", "captured_at": "2026-11-21T08:30:00.1234567Z",
			"created_offline": true, "device_info": object{"os": "android"}, "title": `"report_number":"LS-0000-000000"`},
	} {
		body := newBody(changes)
		if body["captured_at"] != nil {
			body["captured_at"] = w.Text(`SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`)
		}
		key := uuid.NewString()
		first := c.With("Idempotency-Key", key).Post("/reports", body).Want(http.StatusCreated)
		var want, got map[string]any
		if err := json.Unmarshal(first.Body, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(c.Get("/reports/"+first.Object().Text("id")).Want(http.StatusOK).Body, &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			for member := range want {
				if !reflect.DeepEqual(got[member], want[member]) {
					t.Errorf("%s: %s is %v, read it is %v", name, member, got[member], want[member])
				}
			}
			t.Errorf("%s: the answer is not the report", name)
		}
		again := c.With("Idempotency-Key", key).Post("/reports", body).Want(http.StatusCreated)
		if again.Header.Get("Idempotent-Replay") != "true" || !reflect.DeepEqual(again.Object().Values, got) {
			t.Errorf("%s: the replay is %s", name, again.Body)
		}
		payload := w.Text(`SELECT convert_from(payload, 'UTF8') FROM ledger_events WHERE report_id = $1`, first.Object().Text("id"))
		var event map[string]any
		if err := json.Unmarshal([]byte(payload), &event); err != nil || event["report_number"] != got["report_number"] {
			t.Errorf("%s: the ledger says %s", name, payload)
		}
	}
}

// Numbers are assigned in the order of creation, each once. A request that creates nothing uses no number.
func TestNumbersHaveNoGaps(t *testing.T) {
	t.Parallel()
	w := setup(t)
	const people, each = 6, 5
	var all sync.WaitGroup
	for range people {
		c := w.Citizen()
		first := newBody(object{"client_id": uuid.NewString()})
		c.Post("/reports", first).Want(http.StatusCreated)
		all.Go(func() {
			for i := range each {
				body := newBody(object{"client_id": uuid.NewString()})
				if i%2 == 1 { // creates nothing
					body = first
				}
				if got := c.Post("/reports", body); got.Status != http.StatusCreated && got.Status != http.StatusOK {
					t.Errorf("got %d %s", got.Status, got.Body)
				}
			}
		})
	}
	all.Wait()
	const created = people * (1 + (each+1)/2)
	if n := w.Int(`SELECT count(*) FROM reports`); n != created {
		t.Errorf("%d reports, want %d", n, created)
	}
	if last := w.Text(`SELECT max(report_number) FROM reports`); last[8:] != fmt.Sprintf("%06d", created) {
		t.Errorf("the last of %d reports is %s", created, last)
	}
	if n := w.Int(`SELECT count(*) FROM reports r JOIN ledger_events e ON e.report_id = r.id
		WHERE convert_from(e.payload, 'UTF8')::jsonb->>'report_number' = r.report_number AND e.payload_hash = sha256(e.payload)`); n != created {
		t.Errorf("%d events name their report's number", n)
	}
	if n := w.Int(`SELECT count(*) FROM notifications n JOIN reports r ON r.id = n.report_id WHERE n.params->>'report_number' = r.report_number`); n != created {
		t.Errorf("%d notifications name their report's number", n)
	}
}

// A request makes others wait only once it has its number. All locks that it may have to wait for are taken before that.
func TestACreateThatWaitsDelaysNobody(t *testing.T) {
	t.Parallel()
	w := setup(t)
	slow, quick := w.Citizen(), w.Citizen()
	tx, err := w.DB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	// Another transaction changes this person's account, so the person's request waits.
	if _, err := tx.Exec(t.Context(), `SELECT FROM users WHERE id = $1 FOR UPDATE`, slow.ID); err != nil {
		t.Fatal(err)
	}
	done := make(chan int, 1)
	go func() { done <- slow.Post("/reports", newBody(nil)).Status }()
	w.WaitUntil(`SELECT count(*) > 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`)
	first := quick.Post("/reports", newBody(nil)).Want(http.StatusCreated).Object()
	if n := first.Text("report_number"); n[8:] != "000001" {
		t.Errorf("number %s", n)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status := <-done; status != http.StatusCreated {
		t.Errorf("the request that waited: %d", status)
	}
}

// One request at a time waits for the row of the year, those behind it for their turn. If all waited for the row, each commit would wake all of them.
func TestCreatesWaitForNumbersInTurn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Citizen().Post("/reports", newBody(nil)).Want(http.StatusCreated)
	tx, err := w.DB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `SELECT FROM report_numbers FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	const creates = 4
	done := make(chan int, creates)
	for range creates {
		c := w.Citizen()
		go func() { done <- c.Post("/reports", newBody(nil)).Status }()
	}
	const waiting = `FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`
	w.WaitUntil(`SELECT count(*) = $1 `+waiting, creates)
	if n := w.Int(`SELECT count(*) ` + waiting + ` AND l.locktype = 'advisory'`); n != creates-1 {
		t.Errorf("%d of %d requests wait for their turn", n, creates)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range creates {
		if status := <-done; status != http.StatusCreated {
			t.Errorf("a request that waited: %d", status)
		}
	}
}

// During a deploy two versions of the function run side by side. Requests of one person wait for each other across
// versions only while all of them lock the same key, so the key must not change.
func TestCreateTakesTheLockOfEarlierVersions(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	earlier, err := w.DB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = earlier.Rollback(t.Context()) }()
	if _, err := earlier.Exec(t.Context(), `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, "filing:"+c.ID.String()); err != nil {
		t.Fatal(err)
	}
	done := make(chan int, 1)
	go func() { done <- c.Post("/reports", newBody(nil)).Status }()
	w.WaitUntil(`SELECT EXISTS (SELECT FROM reports) OR EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE l.locktype = 'advisory' AND NOT l.granted AND a.datname = current_database())`)
	if w.Int(`SELECT count(*) FROM reports`) != 0 {
		t.Error("a request does not wait for one that a function of an earlier version works on")
	}
	if err := earlier.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status := <-done; status != http.StatusCreated {
		t.Errorf("the request that waited: %d", status)
	}
}

func TestOneOfTwoOfficialsGetsTheReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	agency := w.Agency("A1")
	for range 5 {
		id := w.Citizen().Post("/reports", newBody(object{"client_id": uuid.NewString()})).Want(http.StatusCreated).Object().Text("id")
		w.Exec(`UPDATE reports SET status = 'verified', verified_at = now(), assigned_agency_id = $2 WHERE id = $1`, id, agency)
		officials := []func() (int, string){
			func() (int, string) {
				a := w.Staff(identity.Official, agency).Post("/reports/"+id+"/status", object{"status": "in_progress", "expected_version": 1})
				return a.Status, a.Code()
			},
			func() (int, string) {
				a := w.Staff(identity.Official, agency).With("If-Match", `"v1"`).Patch("/reports/"+id, object{"status": "in_progress"})
				return a.Status, a.Code()
			},
		}
		var both sync.WaitGroup
		status := make([]int, len(officials))
		for i, f := range officials {
			both.Go(func() { status[i], _ = f() })
		}
		both.Wait()
		won, lost := 0, 0
		for _, s := range status {
			switch s {
			case http.StatusOK:
				won++
			case http.StatusConflict, http.StatusPreconditionFailed:
				lost++
			}
		}
		if won != 1 || lost != 1 {
			t.Errorf("two officials at once got %v", status)
		}
		if n := w.Int(`SELECT count(*) FROM report_status_history WHERE report_id = $1 AND new_status = 'in_progress'`, id); n != 1 {
			t.Errorf("%d rows of history", n)
		}
	}
}

// ready is the id of a picture of c that is processed.
func ready(w *testenv.System, c *testenv.Client, shade uint8) string {
	id := uploaded(c, w, shade)
	w.ProcessUpload(id)
	return id
}

// Connection poolers without sessions need other query modes. Creating a report works in all of them.
func TestCreateInEveryQueryMode(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_statement", "cache_describe", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := testenv.New(t)
			w.Env["DATABASE_EXEC_MODE"] = mode
			w.Serve(reports.Open)
			c := w.Citizen()
			body := newBody(object{"images": []object{{"upload_id": ready(w, c, 1)}}, "municipality": "Dili", "device_info": object{"os": "android"}})
			key := uuid.NewString()
			r := c.With("Idempotency-Key", key).Post("/reports", body).Want(http.StatusCreated).Object()
			again := c.With("Idempotency-Key", key).Post("/reports", body).Want(http.StatusCreated)
			if again.Object().Text("id") != r.Text("id") || again.Header.Get("Idempotent-Replay") != "true" {
				t.Errorf("replay: %s", again.Body)
			}
			if got := c.Get("/reports/" + r.Text("report_number")).Want(http.StatusOK).Object(); got.Text("title") != "Hole" {
				t.Errorf("read: %v", got.Values)
			}
			c.Patch("/reports/"+r.Text("id"), object{"title": "A hole"}).Want(http.StatusOK)
			if n := w.Int(`SELECT count(*) FROM outbox`); n != 5 { // geocode, validate, notify, and two events
				t.Errorf("%d messages", n)
			}
		})
	}
}
