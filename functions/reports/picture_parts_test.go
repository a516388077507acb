package reports_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// formOf is a form with the members of a report, and one more part with these headers.
func formOf(header string, content []byte) apiclient.Raw {
	var body bytes.Buffer
	for name, value := range map[string]string{"issue_type": "pothole", "latitude": "-8.55", "longitude": "125.56"} {
		body.WriteString("--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n")
	}
	body.WriteString("--b\r\n" + strings.ReplaceAll(header, "\n", "\r\n") + "\r\n\r\n")
	body.Write(content)
	body.WriteString("\r\n--b--\r\n")
	return apiclient.Raw{ContentType: "multipart/form-data; boundary=b", Body: body.Bytes()}
}

// A part is a picture by its bytes. How the client names and declares it does not count.
func TestAPartIsAPictureByItsBytes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	shade := uint8(0)
	for name, header := range map[string]string{
		"no file name, octet-stream": "Content-Disposition: form-data; name=\"image\"\nContent-Type: application/octet-stream",
		"no file name, no type":      "Content-Disposition: form-data; name=\"image\"",
		"type in capitals":           "Content-Disposition: form-data; name=\"image\"\nContent-Type: IMAGE/JPEG",
		"quotes in the file name":    "Content-Disposition: form-data; name=\"image\"; filename=\"my \"photo\".jpg\"\nContent-Type: image/jpeg",
		"a colon in the file name":   "Content-Disposition: form-data; name=\"image\"; filename=IMG_17:30.jpg\nContent-Type: image/jpeg",
		"parentheses":                "Content-Disposition: form-data; name=\"image\"; filename=photo(1).jpg",
		"another name":               "Content-Disposition: form-data; name=\"picture\"\nContent-Type: image/jpeg",
		"name of a text":             "Content-Disposition: form-data; name=\"title\"\nContent-Type: text/plain",
		"no name":                    "Content-Disposition: form-data",
	} {
		for _, path := range []string{"/reports", "/reports/pre-upload-image"} {
			shade++
			got := c.Post(path, formOf(header, w.JPEG(shade)))
			if got.Status != http.StatusCreated {
				t.Errorf("%s, %s: %d %s", name, path, got.Status, got.Body)
				continue
			}
			if path == "/reports" && len(got.Object().Items("images")) != 1 {
				t.Errorf("%s: a report without its picture", name)
			}
		}
		shade++
		r := c.Post("/reports", newBody(object{"title": name})).Want(http.StatusCreated).Object()
		if got := c.Post("/reports/"+r.Text("id")+"/images", formOf(header, w.JPEG(shade))); got.Status != http.StatusCreated {
			t.Errorf("%s, images of a report: %d %s", name, got.Status, got.Body)
		}
	}
}

// A file that is no picture is refused. It never becomes a report without its picture.
func TestAPartThatIsNoPictureIsRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	binary := []byte("\x00\x01\x02 neither a picture nor text")
	const heic = "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
	for name, part := range map[string]struct {
		header  string
		content []byte
	}{
		"binary":                   {"Content-Disposition: form-data; name=\"attachment\"", binary},
		"binary, octet-stream":     {"Content-Disposition: form-data; name=\"image\"\nContent-Type: application/octet-stream", binary},
		"a page with a file name":  {"Content-Disposition: form-data; name=\"x\"; filename=\"a.jpg\"\nContent-Type: text/html", []byte("<html>Not found</html>")},
		"an unreadable file name":  {"Content-Disposition: form-data; name=\"image\"; filename=\"my \"photo\".jpg\"", []byte("no picture")},
		"a text called a picture":  {"Content-Disposition: form-data; name=\"photo\"", []byte("[object Object]")},
		"a text declared as image": {"Content-Disposition: form-data; name=\"x\"\nContent-Type: image/jpeg", []byte("no picture")},
		"an empty file":            {"Content-Disposition: form-data; name=\"image\"; filename=\"a.jpg\"\nContent-Type: image/jpeg", nil},
		"a PDF":                    {"Content-Disposition: form-data; name=\"x\"\nContent-Type: application/pdf", []byte("%PDF-1.7")},
		"HEIC":                     {"Content-Disposition: form-data; name=\"title\"", []byte(heic)},
		"AVIF":                     {"Content-Disposition: form-data; name=\"x\"", []byte(strings.ReplaceAll(heic, "heic", "avif"))},
	} {
		for _, path := range []string{"/reports", "/reports/pre-upload-image"} {
			if got := c.Post(path, formOf(part.header, part.content)); got.Status != http.StatusUnsupportedMediaType || got.Code() != "unsupported_image" {
				t.Errorf("%s, %s: %d %s", name, path, got.Status, got.Body)
			}
		}
	}
	if n := w.Int(`SELECT count(*) FROM reports`); n != 0 {
		t.Errorf("%d reports without their picture", n)
	}
	detail := c.Post("/reports", formOf("Content-Disposition: form-data; name=\"image\"", []byte(heic))).Object().Text("detail")
	if !strings.Contains(detail, "Most Compatible") {
		t.Errorf("the answer to HEIC does not say how to send a JPEG: %s", detail)
	}
}

// A form without a picture is a report without one, whatever a client sends for none.
func TestAFormWithoutAPicture(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	for i, header := range []string{
		"Content-Disposition: form-data; name=\"image\"; filename=\"\"\nContent-Type: application/octet-stream",
		"Content-Disposition: form-data; name=\"image\"",
		"Content-Disposition: form-data; name=\"location_accuracy\"\nContent-Type: application/octet-stream",
		"Content-Disposition: form-data; name=\"title\"\nContent-Type: application/octet-stream",
		"Content-Disposition: form-data; name=\"photo\"",
	} {
		content := []string{"", "", "6.5", "Buraku", "null"}[i]
		got := c.Post("/reports", formOf(header, []byte(content)))
		if got.Status >= 300 || len(got.Object().Items("images")) != 0 {
			t.Errorf("%s: %d %s", header, got.Status, got.Body)
		}
	}
}
