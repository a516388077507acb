package users_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// The export has the receipt of each report, the same as the answer to its creation, and nobody else's.
func TestTheExportHasReceipts(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Env["SEAL_KEYS"] = base64.StdEncoding.EncodeToString(make([]byte, 32))
	w.Serve(reports.Open, users.Open)
	c := w.Citizen()
	body := map[string]any{"issue_type": "pothole", "title": "Hole", "latitude": -8.5569, "longitude": 125.5603}
	first := w.Receipt(c.Post("/reports", body).Want(http.StatusCreated).Object())
	body["title"] = "Another"
	other := w.Citizen().Post("/reports", body).Want(http.StatusCreated).Object()
	exported := c.Get("/users/me/export").Want(http.StatusOK)
	all := exported.Object().Items("records.reports")
	if len(all) != 1 {
		t.Fatalf("got %s", exported.Body)
	}
	if got := w.Receipt(all[0]); got.Note != first.Note || got.Payload != first.Payload || string(got.Salt) != string(first.Salt) {
		t.Errorf("got %+v, want %+v", got, first)
	}
	for _, absent := range []string{"receipt_", other.Text("receipt.salt")} {
		if strings.Contains(string(exported.Body), absent) {
			t.Errorf("the export has %s", absent)
		}
	}
}
