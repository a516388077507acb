package reports_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/lafaekstreet/backend/shared/identity"
)

// Phones send "é" as one character or as two. Both are the same words: a PATCH with them changes nothing, and a retry is a
// repeat, with and without a client_id.
func TestWordsAreTheSameInEachUnicodeForm(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	words := func(form norm.Form) object {
		return object{"title": form.String("Estrada aat iha Comorú"), "description": form.String("Não há luz."), "issue_type": form.String("buraco não"), "address": form.String("Praça")}
	}
	for _, clientID := range []any{nil, uuid.NewString()} {
		body := changed(newBody(words(norm.NFD)), object{"client_id": clientID})
		r := c.Post("/reports", body).Want(http.StatusCreated).Object()
		for _, form := range []norm.Form{norm.NFC, norm.NFD} {
			got := c.Post("/reports", changed(body, words(form))).Want(http.StatusOK).Object()
			if got.Text("id") != r.Text("id") || warned(got) != "" || got.Number("version") != 1 {
				t.Errorf("a retry in form %v: %v", form, got.Values)
			}
			patch := words(form)
			if delete(patch, "address"); c.Patch("/reports/"+r.Text("id"), patch).Want(http.StatusOK).Object().Number("version") != 1 {
				t.Errorf("a PATCH in form %v changes the report", form)
			}
			if got := mod.Patch("/reports/"+r.Text("id"), words(form)).Want(http.StatusOK).Object(); got.Number("version") != 1 {
				t.Errorf("a PATCH of a moderator in form %v changes the report: %v", form, got.Values)
			}
		}
		c.Patch("/reports/"+r.Text("id"), object{"title": "Comoru"}).Want(http.StatusOK) // without the accent it is another word
	}
	if reports, amended := w.Int(`SELECT count(*) FROM reports`), w.Int(`SELECT count(*) FROM ledger_events WHERE event_type = 'CONTENT_AMENDED'`); reports != 2 || amended != 2 {
		t.Errorf("%d reports and %d amendments, want 2 and 2", reports, amended)
	}
}
