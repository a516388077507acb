package reports_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// Staff write to a reporter in their language. Nobody else learns it.
func TestStaffLearnTheLanguageOfAReporter(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open)
	citizen, moderator := w.Citizen(), w.Staff(identity.Moderator)
	w.Exec(`UPDATE users SET preferred_language = 'pt' WHERE id = $1`, citizen.ID)
	place := map[string]any{"client_id": uuid.NewString(), "issue_type": "pothole", "latitude": -8.5569, "longitude": 125.5603}
	path := "/reports/" + citizen.Post("/reports", place).Want(http.StatusCreated).Object().Text("id")
	if got := moderator.Get(path).Want(http.StatusOK).Object().At("reporter_language"); got != "pt" {
		t.Errorf("a moderator reads %v", got)
	}
	w.Verify(path[len("/reports/"):])
	for name, other := range map[string]*testenv.Client{"reporter": citizen, "other": w.Citizen()} {
		if got := other.Get(path).Want(http.StatusOK).Object().At("reporter_language"); got != nil {
			t.Errorf("%s reads %v", name, got)
		}
	}
	place["client_id"], place["on_behalf_of"] = uuid.NewString(), map[string]any{"phone_number": "+67077312345", "preferred_language": "tet"}
	path = "/reports/" + moderator.Post("/reports", place).Want(http.StatusCreated).Object().Text("id")
	if got := moderator.Get(path).Want(http.StatusOK).Object().At("reporter_language"); got != "tet" {
		t.Errorf("of a person who called: %v", got)
	}
}
