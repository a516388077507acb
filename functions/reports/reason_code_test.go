package reports_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// A rejection or removal without a reason code is 422, and the reason other needs a note. Whoever reads the report reads the
// reason in their language.
func TestARejectionNeedsAReasonCode(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, mod, admin := w.Citizen(), w.Staff(identity.Moderator), w.Staff(identity.Admin)
	path := "/reports/" + created(c, nil)
	for _, body := range []object{{"note": "No road."}, {"note": "x", "reason_code": "because"}, {"reason_code": "other"}, {"reason_code": "other", "note": "  "}} {
		move := object{"status": "rejected"}
		for name, value := range body {
			move[name] = value
		}
		mod.Post(path+"/status", move).Want(http.StatusUnprocessableEntity)
		mod.Patch(path, move).Want(http.StatusUnprocessableEntity)
		admin.Do(http.MethodDelete, path, body).Want(http.StatusUnprocessableEntity)
	}
	mod.Post(path+"/status", object{"status": "rejected", "reason_code": "unsafe", "expected_version": 7}).WantProblem(http.StatusConflict, "stale")
	mod.Post(path+"/status", object{"status": "rejected", "reason_code": "Personal Data", "expected_version": 1}).Want(http.StatusOK)
	for language, want := range map[string]string{"en": "It shows personal data, such as a face, a name or a phone number.",
		"pt": "Mostra dados pessoais, como um rosto, um nome ou um número de telefone."} {
		if got := c.With("Accept-Language", language).Get(path).Want(http.StatusOK).Object().Text("rejection_reason"); got != want {
			t.Errorf("in %s the reason is %q", language, got)
		}
	}
	mod.Post(path+"/status", object{"status": "pending"}).Want(http.StatusOK)
	if got := c.Get(path).Object(); got.At("rejection_reason") != nil {
		t.Errorf("after the return: %v", got.At("rejection_reason"))
	}
	if n := w.Int(`SELECT count(*) FROM reports WHERE reason_code IS NOT NULL`); n != 0 {
		t.Error("the reason code stays after the return")
	}
	second := "/reports/" + created(c, nil)
	c.Do(http.MethodDelete, second, object{"reason": "It was fixed."}).Want(http.StatusOK)
	if got := w.Text(`SELECT removal_note FROM reports WHERE deleted_at IS NOT NULL`); got != "It was fixed." {
		t.Errorf("the reporter's reason is %q", got)
	}
}

// Who removes a report is told that it was removed, who withdraws one that it was withdrawn.
func TestTheAnswerSaysRemovedOrWithdrawn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author := w.Citizen()
	for want, tc := range map[string]struct {
		by    *testenv.Client
		query string
	}{"Report withdrawn.": {author, ""}, "Report removed.": {w.Staff(identity.Admin), "?reason_code=offensive"}} {
		id := created(author, object{"client_id": uuid.NewString()})
		got := tc.by.With("Accept-Language", "en").Do(http.MethodDelete, "/reports/"+id+tc.query, nil).Want(http.StatusOK)
		if got.Object().Text("message") != want {
			t.Errorf("got %s, want %q", got.Body, want)
		}
	}
}
