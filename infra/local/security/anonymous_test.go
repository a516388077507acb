package security

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/identity"
)

// Somebody watches the profiles of a few people to learn who filed an anonymous report. What others see of a person does
// not change with it, nor with anything else whose time can be told.
func TestAnAnonymousReporterIsNotFoundByACount(t *testing.T) {
	t.Parallel()
	w := setup(t)
	maria, watcher, moderator := w.Citizen(), w.Citizen(), w.Staff(identity.Moderator)
	profile := func() string { return string(watcher.Get("/users/" + maria.ID.String()).Want(http.StatusOK).Body) }
	before := profile()
	if !strings.Contains(before, `"reports_count":0`) || !strings.Contains(before, `-01T00:00:00.000Z"`) {
		t.Errorf("a new person is seen as %s", before)
	}
	verify := func(id string) {
		moderator.Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	}
	anonymous := maria.Post("/reports", draft(object{"is_anonymous": true})).Want(http.StatusCreated).Object().Text("id")
	verify(anonymous)
	maria.Post("/reports/"+anonymous+"/comments", object{"content": "Still there."}).Want(http.StatusCreated)
	maria.Post("/reports/batch", object{"reports": []object{draft(object{"is_anonymous": true, "latitude": -8.56})}}).Want(http.StatusOK)
	withdrawn := maria.Post("/reports", draft(object{"is_anonymous": true, "latitude": -8.57})).Want(http.StatusCreated).Object().Text("id")
	maria.Delete("/reports/" + withdrawn).Want(http.StatusOK)
	if after := profile(); after != before {
		t.Errorf("anonymous reports changed the profile from\n%s\nto\n%s", before, after)
	}
	// Her own count has all of them; that of others has those with her name.
	if n := maria.Get("/users/me").Want(http.StatusOK).Object().Values["reports_count"]; n != 2.0 {
		t.Errorf("she counts %v reports, want 2", n)
	}
	named := maria.Post("/reports", draft(object{"latitude": -8.58})).Want(http.StatusCreated).Object().Text("id")
	if got := profile(); got != before {
		t.Errorf("nobody sees yet whose report it is, and it is counted: %s", got)
	}
	verify(named)
	if got := profile(); !strings.Contains(got, `"reports_count":1`) {
		t.Errorf("a report with her name is not counted: %s", got)
	}
}

// The id of a person tells nothing about when they registered: ids of version 7 begin with their time.
func TestIDsOfPeopleCarryNoTime(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Anonymous().Post("/auth/register", object{"email": "ana@example.org", "password": password, "full_name": "Ana"}).Want(http.StatusCreated)
	w.Anonymous().Post("/users/register", object{"email": "rui@example.org", "password": password, "name": "Rui"}).Want(http.StatusCreated)
	w.Anonymous().Post("/admin/setup", object{"setup_token": "setup", "email": "boss@example.org", "password": password, "full_name": "Boss"}).Want(http.StatusCreated)
	for _, email := range []string{"ana@example.org", "rui@example.org", "boss@example.org"} {
		if id := uuid.MustParse(w.Text(`SELECT id::text FROM users WHERE email = $1`, email)); id.Version() != 4 {
			t.Errorf("%s has the id %s of version %d", email, id, id.Version())
		}
	}
}
