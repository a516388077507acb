package reports_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/shared/identity"
)

// A member that another route takes is named in the warnings of the route that does not take it.
func TestMembersOfOtherRoutesAreNamed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	sent := object{"status": "verified", "severity_score": 7, "note": "why", "agency_id": uuid.NewString()}
	const want = "agency_id not_taken, note not_taken, severity_score not_taken, status not_taken"
	single := c.Post("/reports", newBody(sent)).Want(http.StatusCreated).Object()
	item := c.Post("/reports/batch", object{"reports": []any{newBody(object{"status": "fixed", "severity_score": 7, "note": "why", "agency_id": "x",
		"latitude": -8.7})}}).Want(http.StatusOK).Object().Items("results")[0]
	if warned(single) != want || warned(item) != want {
		t.Errorf("create: warned of %q, in a batch of %q", warned(single), warned(item))
	}
	path := "/reports/" + single.Text("id")
	for _, k := range []struct {
		method, path string
		body         object
		warned       string
	}{
		{http.MethodPatch, path, object{"severity": "high", "note": "why"}, "note not_taken"},
		{http.MethodPatch, path, object{"note": "why", "reason_code": "unsafe"}, "note not_taken, reason_code not_taken"},
		{http.MethodPatch, path, object{"status": "pending", "note": "why"}, "note not_taken"},
		{http.MethodPatch, path, object{"title": "Hole", "expected_version": 1, "upload_id": uuid.NewString()}, "expected_version not_taken, upload_id not_taken"},
		{http.MethodPatch, path, object{"status": "rejected", "reason_code": "unsafe", "note": "why"}, ""},
		{http.MethodPost, path + "/status", object{"status": "pending", "note": "why"}, ""},
		{http.MethodPost, path + "/status", object{"status": "verified", "title": "x", "severity": "low", "reason_code": "zzz"},
			"severity not_taken, title not_taken, reason_code not_taken"},
		{http.MethodPatch, path, object{"status": "verified", "reason_code": "zzz"}, "reason_code not_taken"},
	} {
		if got := mod.Do(k.method, k.path, k.body).Want(http.StatusOK).Object(); warned(got) != k.warned {
			t.Errorf("%s %s %v: warned of %q, want %q", k.method, k.path, k.body, warned(got), k.warned)
		}
	}
	path = "/reports/" + c.Post("/reports", newBody(object{"latitude": -8.8})).Want(http.StatusCreated).Object().Text("id")
	mod.Post(path+"/status", object{"status": "rejected", "reason_code": "zzz"}).Want(http.StatusUnprocessableEntity)
	mod.Post(path+"/status", object{"status": "rejected", "reason_code": "unsafe", "expected_version": "new"}).Want(http.StatusUnprocessableEntity)
}

// An upload that is named by its bare id, at the top or in the list of images, is a picture of the report.
func TestUploadsNamedByTheirBareID(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	shade := uint8(0)
	bodies := map[string]func(id string) object{
		"a bare id in the list": func(id string) object { return object{"images": []string{id}} },
		"a bare id":             func(id string) object { return object{"images": id} },
		"upload_id at the top":  func(id string) object { return object{"upload_id": id} },
		"both":                  func(id string) object { return object{"upload_id": id, "images": []object{{"upload_id": id}}} },
	}
	for name, body := range bodies {
		for _, batch := range []bool{false, true} {
			shade++
			id := uploaded(c, w, shade)
			sent := newBody(body(id))
			sent["client_id"] = uuid.NewString()
			var got apiclient.Object
			if batch {
				got = c.Post("/reports/batch", object{"reports": []any{sent}}).Want(http.StatusOK).Object().Items("results")[0]
			} else {
				got = c.Post("/reports", sent).Want(http.StatusCreated).Object()
			}
			if n := w.Int(`SELECT count(*) FROM report_images WHERE upload_id = $1`, id); n != 1 || warned(got) != "" {
				t.Errorf("%s, batch %v: %d pictures, warned of %q", name, batch, n, warned(got))
			}
		}
	}
	for name, fields := range map[string]func(id string) [][2]string{
		"images[0][upload_id]": func(id string) [][2]string { return [][2]string{{"images[0][upload_id]", id}} },
		"images[0].upload_id":  func(id string) [][2]string { return [][2]string{{"images[0].upload_id", id}} },
		"images[]":             func(id string) [][2]string { return [][2]string{{"images[]", id}} },
		"images twice":         func(id string) [][2]string { return [][2]string{{"images", id}, {"images", id}} },
		"JSON":                 func(id string) [][2]string { return [][2]string{{"images", `["` + id + `"]`}} },
		"upload_id":            func(id string) [][2]string { return [][2]string{{"upload_id", id}} },
	} {
		shade++
		id := uploaded(c, w, shade)
		got := c.Post("/reports", formWith(t, append(fields(id), [2]string{"title", name}))).Want(http.StatusCreated).Object()
		if n := w.Int(`SELECT count(*) FROM report_images WHERE upload_id = $1`, id); n != 1 || warned(got) != "" {
			t.Errorf("form, %s: %d pictures, warned of %q", name, n, warned(got))
		}
	}
}

// Of a field that a form has twice, the first value is kept, and the answer says that another was not.
func TestAFieldThatAFormHasTwice(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	got := c.Post("/reports", formWith(t, [][2]string{{"title", "One"}, {"title", "Two"}, {"suco", "Motael"}, {"suco", "Motael"}, {"street", ""}, {"street", "Rua"}})).
		Want(http.StatusCreated).Object()
	if got.Text("title") != "One" || got.Text("suco") != "Motael" || got.Text("street") != "Rua" || warned(got) != "title too_many" {
		t.Errorf("warned of %q: %v", warned(got), got.Values)
	}
}

// formWith is a form with a place and the fields, in their order.
func formWith(t *testing.T, fields [][2]string) apiclient.Raw {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, field := range append([][2]string{{"issue_type", "pothole"}, {"latitude", "-8.55"}, {"longitude", "125.56"}}, fields...) {
		if err := form.WriteField(field[0], field[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return apiclient.Raw{ContentType: form.FormDataContentType(), Body: body.Bytes()}
}

// A fixed path beside a variable one has its own methods. The others are a 405, and never a change of a report with that name.
func TestAFixedPathHasItsOwnMethods(t *testing.T) {
	t.Parallel()
	c := setup(t).Citizen()
	for path, k := range map[string]struct{ methods, allow string }{
		"/reports/batch":      {"GET HEAD PATCH DELETE", "POST, OPTIONS"},
		"/reports/my-reports": {"POST PATCH DELETE", "GET, HEAD, OPTIONS"},
	} {
		for _, method := range strings.Fields(k.methods + " OPTIONS") {
			status := http.StatusMethodNotAllowed
			if method == http.MethodOptions {
				status = http.StatusNoContent
			}
			if got := c.Do(method, path, nil); got.Status != status || got.Header.Get("Allow") != k.allow {
				t.Errorf("%s %s: %d, Allow %s", method, path, got.Status, got.Header.Get("Allow"))
			}
		}
	}
}

// An optional member of an upload, or of a picture that is added, costs neither of them.
func TestOptionalMembersNeverCostThePicture(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	for _, sum := range []any{"zzz", 17, []string{}, "abcd"} {
		got := c.Post("/reports/pre-upload-image", object{"content_type": "image/jpeg", "size_bytes": 100, "sha256": sum}).Want(http.StatusCreated).Object()
		if warned(got) != "sha256 unreadable" || got.At("sha256") != nil || got.Text("upload.url") == "" {
			t.Errorf("sha256 %v: warned of %q: %v", sum, warned(got), got.Values)
		}
	}
	c.Post("/reports/pre-upload-image", object{"content_type": "image/jpeg", "size_bytes": "many"}).Want(http.StatusUnprocessableEntity)
	for i, kind := range []any{"banana", 7, nil} {
		path := "/reports/" + c.Post("/reports", newBody(object{"latitude": -8.5 - float64(i)/100})).Want(http.StatusCreated).Object().Text("id") + "/images"
		got := c.Post(path, object{"upload_id": uploaded(c, w, uint8(i)), "kind": kind}).Want(http.StatusCreated).Object()
		want := "kind unreadable"
		if kind == nil {
			want = ""
		}
		if got.Text("kind") != "evidence" || warned(got) != want {
			t.Errorf("kind %v: warned of %q: %v", kind, warned(got), got.Values)
		}
		c.Post(path, object{"upload_id": "x", "kind": "evidence"}).Want(http.StatusUnprocessableEntity)
	}
	path := "/reports/" + c.Post("/reports", newBody(object{"latitude": -8.8})).Want(http.StatusCreated).Object().Text("id") + "/images"
	if got := c.Form(path, map[string]string{"kind": "banana"}, "file", "a.jpg", w.JPEG(9)).Want(http.StatusCreated).Object(); warned(got) != "kind unreadable" {
		t.Errorf("form: warned of %q", warned(got))
	}
}
