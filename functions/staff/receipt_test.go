package staff_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

func filed(w *testenv.System, c *testenv.Client) string {
	w.Helper()
	body := object{"issue_type": "pothole", "title": "Hole " + uuid.NewString(), "latitude": -8.5569, "longitude": 125.5603}
	return c.Post("/reports", body).Want(http.StatusCreated).Object().Text("id")
}

// Whoever changes reports gets the receipts of the last events, in a replay the same bytes, and no salt of the reporter.
func TestChangesOfStaffHaveReceipts(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open, staff.Open)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	a, b := filed(w, c), filed(w, c)
	newest := func(r testenv.Receipt, id, event string) {
		t.Helper()
		if n := w.Int(`SELECT max(log_index) FROM ledger_events WHERE report_id = $1`, id); r.Index != n || r.Event.Text("event") != event {
			t.Errorf("the receipt is %+v, the change wrote %d", r, n)
		}
	}
	replayed := func(path string, body object) {
		t.Helper()
		key := uuid.NewString()
		first := mod.With("Idempotency-Key", key).Post(path, body).Want(http.StatusOK)
		again := mod.With("Idempotency-Key", key).Post(path, body).Want(http.StatusOK)
		if string(again.Body) != string(first.Body) || !strings.Contains(string(first.Body), `"receipt"`) {
			t.Errorf("%s: the replay differs:\n%s\n%s", path, again.Body, first.Body)
		}
		stored := w.Text(`SELECT convert_from(response, 'UTF8') FROM idempotency_keys WHERE key = $1`, key)
		if strings.Contains(stored, "— lafaek") || strings.Contains(stored, "content_hash") || strings.Contains(stored, `"salt"`) {
			t.Errorf("%s is stored with its receipt: %s", path, stored)
		}
	}
	replayed("/reports/"+a+"/ai-analysis/override", object{"is_relevant": true, "note": "seen", "severity": "high"})
	r := w.Receipt(mod.Post("/reports/"+a+"/ai-analysis/override", object{"is_relevant": true, "note": "seen again", "severity": "low"}).Want(http.StatusOK).Object())
	newest(r, a, "AI_VALIDATED")

	bulk := mod.Post("/staff/reports/bulk-status", object{"items": []object{{"report_id": b, "status": "verified"}, {"report_id": b, "status": "pending"}}}).Want(http.StatusOK)
	items := bulk.Object().Items("results")
	newest(w.Receipt(items[0]), b, "STATUS_CHANGED")
	if items[1].Text("status") != "error" || items[1].At("receipt") != nil {
		t.Errorf("got %v", items[1].Values)
	}
	replayed("/staff/reports/bulk-status", object{"items": []object{{"report_id": filed(w, c), "status": "verified"}}})
}

// A reporter who appeals gets the receipt of the report's first event: the appeal itself is no event.
func TestAnAppealHasTheReceiptOfTheReport(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open, staff.Open)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	id := filed(w, c)
	mod.Post("/staff/reports/bulk-status", object{"items": []object{{"report_id": id, "status": "rejected", "reason_code": "irrelevant"}}}).Want(http.StatusOK)
	r := w.Receipt(c.Post("/reports/"+id+"/appeal", object{"reason": "It is a hole."}).Want(http.StatusOK).Object())
	if r.Event.Text("event") != "REPORT_SUBMITTED" || r.Salt == nil {
		t.Errorf("got %+v", r)
	}
}
