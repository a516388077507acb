package staff_test

import (
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

func TestTemplates(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	mod, official, citizen := w.Staff(identity.Moderator), w.Staff(identity.Official, w.Agency("A1")), w.Citizen()
	made := mod.Post("/staff/templates", object{"title": " Planned ", "status": "In Progress", "issue_type": "pothole", "body": object{"tet": "Ekipa sei ba.", "en": "A crew\nwill come."}}).
		Want(http.StatusCreated).Object()
	if made.Text("title") != "Planned" || made.Text("status") != "in_progress" || made.Text("issue_type") != "pothole" || made.Text("body.en") != "A crew\nwill come." || made.At("body.pt") != "" {
		t.Errorf("made %v", made.Values)
	}
	all := official.Post("/staff/templates", object{"title": "Anything", "body": object{"pt": "Obrigado."}}).Want(http.StatusCreated).Object()
	fixed := mod.Post("/staff/templates", object{"title": "done", "status": "fixed", "body": object{"en": "Done."}}).Want(http.StatusCreated).Object()
	list := func(query string) string {
		t.Helper()
		var titles []string
		for _, item := range official.Get("/staff/templates" + query).Want(http.StatusOK).Object().Items("items") {
			titles = append(titles, item.Text("title"))
		}
		return strings.Join(titles, ", ")
	}
	for query, want := range map[string]string{"": "Anything, done, Planned", "?status=fixed": "Anything, done", "?issue_type=bridge": "Anything, done",
		"?status=in_progress&issue_type=Pothole": "Anything, Planned", "?limit=1&page=2": "done"} {
		if got := list(query); got != want {
			t.Errorf("%s lists %s, want %s", query, got, want)
		}
	}
	path := "/staff/templates/" + made.Text("id")
	changed := official.Do(http.MethodPatch, path, object{"status": "", "body": object{"pt": "A equipa vai."}}).Want(http.StatusOK).Object()
	if changed.At("status") != nil || changed.Text("body.pt") != "A equipa vai." || changed.Text("body.tet") != "Ekipa sei ba." || changed.Text("title") != "Planned" {
		t.Errorf("changed to %v", changed.Values)
	}
	again := official.Do(http.MethodPatch, path, object{"status": nil, "title": "Planned"}).Want(http.StatusOK).Object()
	if !reflect.DeepEqual(again.Values, changed.Values) || w.Int(`SELECT count(*) FROM audit_log WHERE action = 'template.change'`) != 1 {
		t.Errorf("the second click changes it: %v", again.Values)
	}
	mod.Do(http.MethodDelete, path, nil).Want(http.StatusOK)
	for _, method := range []string{http.MethodDelete, http.MethodPatch} {
		if code := mod.Do(method, path, object{}).Want(http.StatusNotFound).Code(); code != "template_not_found" {
			t.Errorf("%s of a removed template: %s", method, code)
		}
	}
	if got := list(""); got != "Anything, done" {
		t.Errorf("after removal: %s", got)
	}
	if got := w.Text(`SELECT string_agg(action, ' ' ORDER BY at, id) FROM audit_log WHERE entity = 'template' AND entity_id = $1`, made.Text("id")); got != "template.create template.change template.remove" {
		t.Errorf("the audit log has %s", got)
	}
	citizen.Get("/staff/templates").Want(http.StatusForbidden)
	citizen.Post("/staff/templates", object{"title": "x", "body": object{"en": "x"}}).Want(http.StatusForbidden)
	citizen.Do(http.MethodPatch, "/staff/templates/"+all.Text("id"), object{"title": "x"}).Want(http.StatusForbidden)
	citizen.Do(http.MethodDelete, "/staff/templates/"+fixed.Text("id"), nil).Want(http.StatusForbidden)
	w.Anonymous().Get("/staff/templates").Want(http.StatusUnauthorized)
}

func TestTemplatesAreBounded(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	mod := w.Staff(identity.Moderator)
	long := strings.Repeat("é", 2001)
	for field, body := range map[string]object{
		"title": {"body": object{"en": "x"}}, "body": {"title": "x"}, "status": {"title": "x", "status": "lost", "body": object{"en": "x"}},
		"issue_type": {"title": "x", "issue_type": "elephant", "body": object{"en": "x"}}, "body.en": {"title": "x", "body": object{"en": long}},
	} {
		fault := mod.Post("/staff/templates", body).Want(http.StatusUnprocessableEntity).Object()
		if faults := fault.Items("errors"); len(faults) != 1 || !strings.HasSuffix(faults[0].Text("field"), field) {
			t.Errorf("%s: %v", field, fault.Values)
		}
	}
	mod.Post("/staff/templates", object{"title": "x", "body": object{"en": " "}}).Want(http.StatusUnprocessableEntity)
	mod.Post("/staff/templates", object{"title": "x", "body": object{"en": long[:4000]}}).Want(http.StatusCreated)
	mod.Get("/staff/templates?status=lost").Want(http.StatusUnprocessableEntity)
	mod.Do(http.MethodPatch, "/staff/templates/"+uuid.NewString(), object{"title": "x"}).Want(http.StatusNotFound)
	mod.Do(http.MethodDelete, "/staff/templates/7", nil).Want(http.StatusUnprocessableEntity)

	// The limit holds also for requests at the same time.
	w.Exec(`INSERT INTO staff_templates (id, title, body_en) SELECT gen_random_uuid(), 'x', 'x' FROM generate_series(1, 197)`)
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() { mod.Post("/staff/templates", object{"title": "x", "body": object{"en": "x"}}) })
	}
	group.Wait()
	if n := w.Int(`SELECT count(*) FROM staff_templates`); n != 200 {
		t.Errorf("%d templates", n)
	}
	if code := mod.Post("/staff/templates", object{"title": "x", "body": object{"en": "x"}}).Want(http.StatusConflict).Code(); code != "template_limit" {
		t.Errorf("the 201st: %s", code)
	}
}

// A repeat with the same Idempotency-Key makes no second template.
func TestATemplateIsMadeOnce(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	mod := w.Staff(identity.Moderator)
	body := object{"title": "x", "body": object{"en": "x"}}
	first := mod.With("Idempotency-Key", "one").Post("/staff/templates", body).Want(http.StatusCreated)
	second := mod.With("Idempotency-Key", "one").Post("/staff/templates", body).Want(http.StatusCreated)
	if string(first.Body) != string(second.Body) || w.Int(`SELECT count(*) FROM staff_templates`) != 1 {
		t.Errorf("first %s, second %s", first.Body, second.Body)
	}
}
