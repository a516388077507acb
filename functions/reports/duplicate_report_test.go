package reports_test

import (
	"net/http"
	"testing"

	"github.com/lafaekstreet/backend/shared/identity"
)

// A report that others are duplicates of becomes no duplicate itself: theirs would lead nowhere.
func TestAnOriginalBecomesNoDuplicate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, moderator := w.Citizen(), w.Staff(identity.Moderator)
	first, original, third := created(c, nil), created(c, nil), created(c, nil)
	moderator.Post("/reports/"+first+"/status", object{"status": "duplicate", "duplicate_of": original}).Want(http.StatusOK)
	moderator.Post("/reports/"+original+"/status", object{"status": "duplicate", "duplicate_of": third}).WantProblem(http.StatusConflict, "has_duplicates")
}
