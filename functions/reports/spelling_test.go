package reports_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/identity"
)

// No word for what is broken loses a report, however long or short it is.
func TestNoWordLosesAReport(t *testing.T) {
	t.Parallel()
	c := setup(t).Citizen()
	for word, raw := range map[string]any{strings.Repeat("é", 5000): strings.Repeat("é", 100), "": nil, "  ": nil, " lubuk ": "lubuk"} {
		r := c.Post("/reports", newBody(object{"issue_type": word, "client_id": uuid.NewString()})).Want(http.StatusCreated).Object()
		if r.Text("issue_type") != "other" || r.At("issue_type_raw") != raw {
			t.Errorf("%.20q became %v (%v)", word, r.At("issue_type"), r.At("issue_type_raw"))
		}
	}
}

// Two names for one member are read the same each time: else a retry would be other content.
func TestTwoNamesForOneMember(t *testing.T) {
	t.Parallel()
	c := setup(t).Citizen()
	for range 20 {
		body := newBody(object{"type": "Report", "category": "flood", "client_id": uuid.NewString()})
		delete(body, "issue_type")
		if r := c.Post("/reports", body).Want(http.StatusCreated).Object(); r.Text("issue_type") != "flooding" {
			t.Fatalf("read as %v", r.At("issue_type"))
		}
		again := c.Post("/reports/batch", object{"reports": []any{body}}).Want(http.StatusOK).Object().Items("results")[0]
		if again.Text("status") != "duplicate" {
			t.Fatalf("in a batch it is %v", again.Values)
		}
	}
}

func TestIdsAndWordsInAnySpelling(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, admin := w.Citizen(), w.Staff(identity.Admin)
	agency := w.Agency("DILI")
	id := uuid.New()
	first := c.Post("/reports", newBody(object{"client_id": "urn:uuid:" + id.String()})).Want(http.StatusCreated).Object()
	if first.Text("client_id") != id.String() {
		t.Errorf("client_id is %v", first.At("client_id"))
	}
	padded := " " + strings.ToUpper(id.String())
	c.Post("/reports", newBody(object{"client_id": padded})).Want(http.StatusOK)
	item := c.Post("/reports/batch", object{"reports": []any{newBody(object{"client_id": padded})}}).Want(http.StatusOK).Object().Items("results")[0]
	if item.Text("status") != "duplicate" || item.Text("client_id") != padded {
		t.Errorf("in a batch it is %v", item.Values)
	}
	if r := c.Post("/reports", newBody(object{"client_id": ""})).Want(http.StatusCreated).Object(); r.At("client_id") != nil {
		t.Errorf("client_id is %v", r.At("client_id"))
	}
	admin.Post("/reports/"+first.Text("id")+"/assign", object{"agency_id": "urn:uuid:" + agency.String()}).Want(http.StatusOK)
	c.Get("/reports?sort=Updated-At&order=ASC").Want(http.StatusOK)
	c.Get("/reports?sort=length").Want(http.StatusUnprocessableEntity)
	form := admin.Form("/reports/"+first.Text("id")+"/images", map[string]string{"kind": "Resolution"}, "file", "a.jpg", w.JPEG(3))
	if image := form.Want(http.StatusCreated).Object(); image.Text("kind") != "resolution" {
		t.Errorf("kind is %v", image.At("kind"))
	}
}

func TestAMissingMemberIsNamed(t *testing.T) {
	t.Parallel()
	c := setup(t).Citizen()
	names := func(items []object) []string {
		var out []string
		for _, item := range items {
			out = append(out, item["field"].(string))
		}
		return out
	}
	fields := func(list any) []object {
		var out []object
		for _, e := range list.([]any) {
			out = append(out, e.(object))
		}
		return out
	}
	want := []string{"latitude", "longitude"}
	alone := c.Post("/reports", object{}).Want(http.StatusUnprocessableEntity).Object()
	if got := names(fields(alone.At("errors"))); !reflect.DeepEqual(got, want) {
		t.Errorf("fields are %v", got)
	}
	item := c.Post("/reports/batch", object{"reports": []any{object{"client_id": uuid.NewString()}}}).Want(http.StatusOK).Object().Items("results")[0]
	if got := names(fields(item.At("errors"))); !reflect.DeepEqual(got, want) {
		t.Errorf("in a batch they are %v", got)
	}
	c.Post("/reports/batch", object{"reports": nil}).Want(http.StatusUnprocessableEntity)
}

func TestFormsAndTimesAsLanguagesWriteThem(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	fields := map[string]string{"issue_type": "pothole", "lat": "-8.5", "lng": "125.5", "is_anonymous": "True"}
	if r := c.Form("/reports", fields, "file", "a.jpg", w.JPEG(4)).Want(http.StatusCreated).Object(); r.At("is_anonymous") != true {
		t.Errorf("is_anonymous is %v", r.At("is_anonymous"))
	}
	at := w.Text(`SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS')`)
	want := strings.Replace(at, " ", "T", 1) + "Z"
	for _, sent := range []string{at + "Z", " " + want + " "} {
		r := c.Post("/reports", newBody(object{"captured_at": sent, "client_id": uuid.NewString()})).Want(http.StatusCreated).Object()
		if _, err := time.Parse(time.RFC3339, r.Text("captured_at")); err != nil || r.Text("captured_at") != want {
			t.Errorf("%q became %v", sent, r.At("captured_at"))
		}
	}
}
