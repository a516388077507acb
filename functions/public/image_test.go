package public_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/identity"
)

// The address of a published picture lasts, and is of no use as soon as the public may not see the picture: hidden, being
// redacted, without a verdict, taken down. The page of the report names it for share cards.
func TestPublishedPicture(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author, moderator, nobody := w.Citizen(), w.Staff(identity.Moderator), w.Anonymous()
	upload := author.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(1)).Want(http.StatusCreated).Object().Text("upload_id")
	filed := author.Post("/reports", object{"issue_type": "pothole", "latitude": -8.5569, "longitude": 125.5603,
		"images": []object{{"upload_id": upload}}}).Want(http.StatusCreated).Object()
	w.ProcessUpload(upload)
	id, number, image := filed.Text("id"), filed.Text("report_number"), filed.Items("images")[0].Text("id")
	at := func(ref, rendition string) string {
		return "/public/reports/" + ref + "/images/" + image + "/" + rendition
	}
	nobody.Get(at(number, "display")).Want(http.StatusNotFound) // without a verdict
	moderator.Post("/reports/"+id+"/status", object{"status": "verified", "expected_version": w.Int(`SELECT version FROM reports`)}).Want(http.StatusOK)

	var tag string
	for _, path := range []string{at(number, "display"), at(id, "thumbnail"), at(id, "display")} {
		got := nobody.Get(path).Want(http.StatusOK)
		if got.Header.Get("Content-Type") != "image/jpeg" || got.Header.Get("Cache-Control") != "public, max-age=300" || !strings.HasPrefix(string(got.Body), "\xff\xd8\xff") {
			t.Errorf("%s: %v", path, got.Header)
		}
		tag = got.Header.Get("ETag")
	}
	nobody.With("If-None-Match", tag).Get(at(number, "display")).Want(http.StatusNotModified)
	if head := nobody.Do(http.MethodHead, at(number, "display"), nil).Want(http.StatusOK); len(head.Body) != 0 || head.Header.Get("ETag") != tag {
		t.Errorf("HEAD: %v", head.Header)
	}
	page := string(nobody.Get("//r/" + number).Want(http.StatusOK).Body)
	for _, want := range []string{fmt.Sprintf(`<meta property="og:image" content="%s/api/v1/public/reports/%s/images/%s/display">`, w.URL, number, image),
		`<meta property="og:image:width" content="64">`, `<meta property="og:image:height" content="48">`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}

	for _, path := range []string{at(number, "original"), at("LS-2026-999999", "display"), "/public/reports/" + number + "/images/" + id + "/display"} {
		if got := nobody.Get(path); got.Status != http.StatusNotFound && got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", path, got.Status)
		}
	}
	hide, show := "/reports/"+id+"/images/"+image+"/hide", "/reports/"+id+"/images/"+image+"/unhide"
	moderator.Post(hide, object{"reason_code": "personal_data"}).Want(http.StatusOK)
	if gone := nobody.Get(at(number, "display")).Want(http.StatusNotFound); gone.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("hidden: %v", gone.Header)
	}
	moderator.Post(show, object{}).Want(http.StatusOK)
	nobody.Get(at(number, "display")).Want(http.StatusOK)
	redaction := object{"reason_code": "personal_data", "boxes": []object{{"x": 0, "y": 0, "width": 1, "height": 1}}}
	moderator.Post("/reports/"+id+"/images/"+image+"/redact", redaction).Want(http.StatusOK)
	nobody.Get(at(number, "thumbnail")).Want(http.StatusNotFound)
	moderator.Post("/reports/"+id+"/status", object{"status": "rejected", "reason_code": "offensive"}).Want(http.StatusOK)
	if gone := nobody.Get(at(number, "display")).Want(http.StatusGone); gone.Code() != "report_removed" {
		t.Errorf("rejected: %s", gone.Code())
	}
}
