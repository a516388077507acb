package reports_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/gowebpki/jcs"

	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// commitment is HMAC-SHA-256 under a salt over the canonical JSON of members, in hex.
func commitment(t *testing.T, salt []byte, members object) string {
	t.Helper()
	raw, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := jcs.Transform(raw)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, salt)
	mac.Write(canonical)
	return hex.EncodeToString(mac.Sum(nil))
}

// The reporter can recompute what the log commits to from the answer and the salt, as the documentation says.
func TestTheReporterRecomputesTheCommitment(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	for name, changes := range map[string]object{
		"plain": nil,
		"all": {"issue_type": "Lubuk \"<&>\"", "address": "Rua A", "street": "B", "suco": "C", "district": "D", "municipality": "Díli",
			"location_accuracy": 6.3, "severity": "critical", "captured_at": w.Text(`SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`), "title": "Buraku boot é"},
	} {
		id := c.Post("/reports", newBody(changes)).Want(http.StatusCreated).Object().Text("id")
		o := c.Get("/reports/" + id).Want(http.StatusOK).Object()
		r := w.Receipt(o)
		words := object{"author": c.ID}
		for _, member := range []string{"title", "description", "issue_type_raw", "latitude", "longitude", "captured_at", "address", "street", "suco",
			"district", "municipality", "severity", "severity_score", "priority", "location_accuracy"} {
			words[member] = o.At(member)
		}
		words["issue_type_raw"] = o.Text("issue_type_raw") // empty for none
		if got := commitment(t, r.Salt, words); got != r.Event.Text("content_hash") {
			t.Errorf("%s: %s, the log has %s for %v", name, got, r.Payload, words)
		}
	}
}

// sameReceipt ends the test unless two receipts are the same bytes.
func sameReceipt(t *testing.T, what string, got, want testenv.Receipt) {
	t.Helper()
	if got.Note != want.Note || got.Payload != want.Payload || string(got.Salt) != string(want.Salt) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

// The reporter gets the receipt of the first event with the salt, the same bytes each time.
func TestTheReporterGetsTheReceiptAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, body := w.Citizen(), newBody(object{"client_id": uuid.NewString()})
	key := uuid.NewString()
	created := c.With("Idempotency-Key", key).Post("/reports", body).Want(http.StatusCreated)
	first := w.Receipt(created.Object())
	if first.Event.Text("event") != "REPORT_SUBMITTED" || first.Salt == nil {
		t.Fatalf("got %+v", first)
	}
	replay := c.With("Idempotency-Key", key).Post("/reports", body).Want(http.StatusCreated)
	if string(replay.Body) != string(created.Body) {
		t.Errorf("the replay differs:\n%s\n%s", replay.Body, created.Body)
	}
	again := uuid.NewString()
	repeated := c.With("Idempotency-Key", again).Post("/reports", body).Want(http.StatusOK)
	sameReceipt(t, "repeat", w.Receipt(repeated.Object()), first)
	if replay := c.With("Idempotency-Key", again).Post("/reports", body).Want(http.StatusOK); string(replay.Body) != string(repeated.Body) {
		t.Errorf("the replay of a repeat differs:\n%s\n%s", replay.Body, repeated.Body)
	}
	id := created.Object().Text("id")
	c.Do("PATCH", "/reports/"+id, object{"title": "Another hole"}).Want(http.StatusOK)
	sameReceipt(t, "read", w.Receipt(c.Get("/reports/"+id).Want(http.StatusOK).Object()), first)
	for _, q := range []string{`SELECT string_agg(convert_from(response, 'UTF8'), '') FROM idempotency_keys`} {
		if stored := w.Text(q); strings.Contains(stored, created.Object().Text("receipt.salt")) || strings.Contains(stored, "REPORT_SUBMITTED") || strings.Contains(stored, "receipts ") {
			t.Errorf("an answer is stored with its receipt: %s", stored)
		}
	}
	// What is erased stays erased: a replay has no salt.
	w.Tamper(`ALTER TABLE report_salts DISABLE TRIGGER USER; DELETE FROM report_salts`)
	if r := w.Receipt(c.With("Idempotency-Key", key).Post("/reports", body).Want(http.StatusCreated).Object()); r.Salt != nil || r.Note != first.Note {
		t.Errorf("after an erasure: %+v", r)
	}
}

// Nobody but the reporter gets the receipt of a report, or its salt.
func TestReceiptsAreForTheReporterAlone(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open, public.Open)
	c := w.Citizen()
	id := c.Post("/reports", newBody(nil)).Want(http.StatusCreated).Object().Text("id")
	for name, other := range map[string]*testenv.Client{"another citizen": w.Citizen(), "staff": w.Staff(identity.Admin)} {
		if got := other.Get("/reports/" + id).Want(http.StatusOK).Object(); got.At("receipt") != nil {
			t.Errorf("%s: %v", name, got.At("receipt"))
		}
	}
	for _, path := range []string{"/public/reports/" + id, "/public/reports"} {
		if got := c.Get(path).Want(http.StatusOK); strings.Contains(string(got.Body), `"receipt"`) {
			t.Errorf("%s: %s", path, got.Body)
		}
	}
	for _, path := range []string{"/reports", "/reports/changes"} {
		if got := c.Get(path).Want(http.StatusOK); strings.Contains(string(got.Body), `"receipt"`) {
			t.Errorf("%s: %s", path, got.Body)
		}
	}
}

// Whoever changes a report gets the receipt of the last event of the change. The salt of the report is for its reporter.
func TestAChangeHasItsReceipt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, staff := w.Citizen(), w.Staff(identity.Admin)
	agency := w.Agency("MOP")
	id := c.Post("/reports", newBody(nil)).Want(http.StatusCreated).Object().Text("id")
	newest := func(r testenv.Receipt) {
		t.Helper()
		if n := w.Int(`SELECT max(log_index) FROM ledger_events WHERE report_id = $1`, id); r.Index != n {
			t.Errorf("the receipt is for %d, the change wrote %d", r.Index, n)
		}
	}
	changed := func(who *testenv.Client, method, path string, body object, event string) testenv.Receipt {
		t.Helper()
		r := w.Receipt(who.Do(method, "/reports/"+id+path, body).Want(http.StatusOK).Object())
		if r.Event.Text("event") != event {
			t.Errorf("%s %s: %s, want %s", method, path, r.Payload, event)
		}
		newest(r)
		return r
	}
	if r := changed(c, "PATCH", "", object{"title": "Big hole"}, "CONTENT_AMENDED"); r.Salt == nil {
		t.Error("the reporter changed the words and got no salt")
	}
	if r := changed(staff, "PATCH", "", object{"severity": "high", "status": "verified"}, "STATUS_CHANGED"); r.Salt != nil {
		t.Error("staff got the salt of a report")
	}
	if r := changed(staff, "POST", "/status", object{"status": "in_progress"}, "STATUS_CHANGED"); r.Salt != nil {
		t.Error("staff got the salt of a report")
	}
	noted := changed(staff, "POST", "/status", object{"status": "verified", "note": "Not begun yet."}, "STATUS_CHANGED")
	if noted.Event.Text("note_hash") != commitment(t, noted.Salt, object{"note": "Not begun yet."}) {
		t.Errorf("got %+v", noted)
	}
	official := w.Staff(identity.Official, agency)
	r := changed(staff, "POST", "/assign", object{"agency_id": agency, "user_id": official.ID, "due_at": "2027-01-02T03:04:05Z", "note": "Before the rain."}, "ASSIGNED")
	if r.Event.Text("agency") != "MOP" || r.Event.Text("due_at") != "2027-01-02T03:04:05.000Z" ||
		r.Event.Text("assignment_hash") != commitment(t, r.Salt, object{"assigned_to": official.ID}) ||
		r.Event.Text("note_hash") != commitment(t, r.Salt, object{"note": "Before the rain."}) {
		t.Errorf("got %s", r.Payload)
	}
	if got := staff.Do("PATCH", "/reports/"+id, object{"severity": "high"}).Want(http.StatusOK).Object(); got.At("receipt") != nil {
		t.Errorf("a change that changes nothing: %v", got.At("receipt"))
	}
	picture := c.Form("/reports/"+id+"/images", nil, "file", "a.jpg", w.JPEG(3)).Want(http.StatusCreated).Object()
	newest(w.Receipt(picture))
	removed := staff.Do("DELETE", "/reports/"+id+"/images/"+picture.Text("id"), nil).Want(http.StatusOK).Object()
	newest(w.Receipt(removed))
	gone := w.Receipt(staff.Do("DELETE", "/reports/"+id+"?reason_code=unsafe", nil).Want(http.StatusOK).Object())
	newest(gone)
	if gone.Event.Text("event") != "REPORT_WITHDRAWN" || gone.Salt != nil {
		t.Errorf("got %+v", gone)
	}
}

// An item of a batch has the receipt of its report's first event, and a replay of the batch has the same bytes.
func TestABatchHasReceipts(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	a, b := newBody(object{"client_id": uuid.NewString()}), newBody(object{"client_id": uuid.NewString(), "title": "Two"})
	key := uuid.NewString()
	batch := object{"reports": []object{a, b, a, {"client_id": a["client_id"], "latitude": -8.5, "longitude": 125.5}, {"title": "no place"}}}
	first := c.With("Idempotency-Key", key).Post("/reports/batch", batch).Want(http.StatusOK)
	items := first.Object().Items("results")
	for i, status := range []string{"created", "created", "duplicate", "conflict", "error"} {
		if items[i].Text("status") != status || items[i].At("report.receipt") != nil {
			t.Fatalf("item %d: %v", i, items[i].Values)
		}
		if status == "error" {
			continue
		}
		r := w.Receipt(items[i])
		if r.Event.Text("report_number") != items[i].Text("report.report_number") || r.Event.Text("event") != "REPORT_SUBMITTED" || r.Salt == nil {
			t.Errorf("item %d: %+v", i, r)
		}
	}
	sameReceipt(t, "duplicate", w.Receipt(items[2]), w.Receipt(items[0]))
	if replay := c.With("Idempotency-Key", key).Post("/reports/batch", batch).Want(http.StatusOK); string(replay.Body) != string(first.Body) {
		t.Errorf("the replay differs:\n%s\n%s", replay.Body, first.Body)
	}
	if stored := w.Text(`SELECT convert_from(response, 'UTF8') FROM idempotency_keys`); strings.Contains(stored, "salt") || strings.Contains(stored, "REPORT_SUBMITTED") {
		t.Errorf("the batch is stored with receipts: %s", stored)
	}
}

// A stored answer of an earlier version is given again as it is.
func TestAnAnswerFromBeforeReceiptsIsReplayed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, body, key := w.Citizen(), newBody(nil), uuid.NewString()
	created := c.With("Idempotency-Key", key).Post("/reports", body).Want(http.StatusCreated)
	w.Exec(`UPDATE idempotency_keys SET response = convert_to(regexp_replace(convert_from(response, 'UTF8'), ',"receipt":[{][^}]*[}]', ''), 'UTF8')`)
	replay := c.With("Idempotency-Key", key).Post("/reports", body).Want(http.StatusCreated).Object()
	if replay.At("receipt") != nil || replay.Text("id") != created.Object().Text("id") {
		t.Errorf("got %v", replay.Values)
	}
}

// Without the key in force there is no receipt, and everything else works. A later request gets the receipt.
func TestNoReceiptUnderAnotherKey(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, body, key := w.Citizen(), newBody(object{"client_id": uuid.NewString()}), uuid.NewString()
	inForce := w.Text(`SELECT receipts_vkey FROM log_counter`)
	w.Exec(`UPDATE log_counter SET receipts_vkey = 'another'`)
	created := c.With("Idempotency-Key", key).Post("/reports", body).Want(http.StatusCreated).Object()
	if created.At("receipt") != nil {
		t.Errorf("got %v", created.At("receipt"))
	}
	if replay := c.With("Idempotency-Key", key).Post("/reports", body).Want(http.StatusCreated); !reflect.DeepEqual(replay.Object().Values, created.Values) {
		t.Errorf("got %s", replay.Body)
	}
	w.Exec(`UPDATE log_counter SET receipts_vkey = $1`, inForce)
	later := w.Receipt(c.Get("/reports/" + created.Text("id")).Want(http.StatusOK).Object())
	sameReceipt(t, "replay", w.Receipt(c.With("Idempotency-Key", key).Post("/reports", body).Want(http.StatusCreated).Object()), later)
}

// While the log takes no events, a write is 503 with a time to try again, and changes nothing.
func TestAHaltedLog(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	id := c.Post("/reports", newBody(nil)).Want(http.StatusCreated).Object().Text("id")
	w.Exec(`UPDATE log_counter SET halted = 'restored from a backup'`)
	body := newBody(object{"client_id": uuid.NewString(), "title": "Later"})
	for name, got := range map[string]apiclient.TestResponse{
		"create": c.Post("/reports", body), "batch": c.Post("/reports/batch", object{"reports": []object{body}}),
		"change": c.Do("PATCH", "/reports/"+id, object{"title": "Other"}),
	} {
		if got.Status != http.StatusServiceUnavailable || got.Object().Text("code") != "log_halted" || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s %v", name, got.Status, got.Body, got.Header)
		}
	}
	if n := w.Int(`SELECT count(*) FROM reports WHERE title <> 'Hole'`); n != 0 {
		t.Errorf("%d reports were written", n)
	}
	c.Get("/reports/" + id).Want(http.StatusOK)
	w.Exec(`UPDATE log_counter SET halted = NULL`)
	if r := w.Receipt(c.Post("/reports", body).Want(http.StatusCreated).Object()); r.Event.Text("report_number") == "" {
		t.Error(fmt.Sprint(r))
	}
}
