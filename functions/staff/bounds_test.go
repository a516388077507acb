package staff_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

func TestTextsOfStaffHaveTwoThousandCharactersAtMost(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	path := "/reports/" + place(w, c, "status = 'rejected'")
	long := strings.Repeat("é", 2001)
	mod.Post(path+"/notes", object{"content": long}).Want(http.StatusUnprocessableEntity)
	mod.Post(path+"/notes", object{"content": long[:4000]}).Want(http.StatusCreated)
	mod.Post(path+"/ai-analysis/override", object{"is_relevant": true, "note": long}).Want(http.StatusUnprocessableEntity)
	c.Post(path+"/appeal", object{"reason": long}).Want(http.StatusUnprocessableEntity)
	item := object{"report_id": uuid.New(), "status": "verified", "note": long}
	result := mod.Post("/staff/reports/bulk-status", object{"items": []object{item}}).Want(http.StatusOK).Object().Items("results")[0]
	if result.Text("status") != "error" || result.Text("code") != "invalid_input" {
		t.Errorf("got %v", result.Values)
	}
}

func TestAHundredStatusesAreChangedAtMost(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	mod := w.Staff(identity.Moderator)
	items := make([]object, 101)
	for i := range items {
		items[i] = object{"report_id": uuid.New(), "status": "verified"}
	}
	mod.Post("/staff/reports/bulk-status", object{"items": items}).Want(http.StatusUnprocessableEntity)
	mod.Post("/staff/reports/bulk-status", object{"items": items[:100]}).Want(http.StatusOK)
}

func TestFiveHundredNotesAreListedAtMost(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	id := place(w, w.Citizen(), "")
	w.Exec(`INSERT INTO report_notes (id, report_id, content) SELECT gen_random_uuid(), $1, 'x' FROM generate_series(1, 501)`, id)
	if n := len(w.Staff(identity.Moderator).Get("/reports/" + id + "/notes").Want(http.StatusOK).List()); n != 500 {
		t.Errorf("%d notes, want 500", n)
	}
}
