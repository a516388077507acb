package reports_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// An Idempotency-Key compares values. How a retry writes them, and how it builds a form, does not count.
func TestAnIdempotencyKeyComparesValues(t *testing.T) {
	t.Parallel()
	w := setup(t)
	text := func(body string) any { return []byte(body) }
	form := func(boundary, picture string, parts ...string) any {
		body := ""
		for _, part := range parts {
			name, value, _ := strings.Cut(part, "=")
			body += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
		}
		body += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"image\"; filename=\"" + boundary + ".jpg\"\r\n\r\n" + picture + "\r\n--" + boundary + "--\r\n"
		return apiclient.Raw{ContentType: "multipart/form-data; boundary=" + boundary, Body: []byte(body)}
	}
	one, two := string(w.JPEG(1)), string(w.JPEG(2))
	for name, c := range map[string]struct {
		path               string
		first, same, other any
	}{
		"report": {"/reports", text(`{"issue_type":"pothole","title":"\u00fa","latitude":-8.50,"longitude":125.50}`),
			text(`{ "longitude": 1.255e2, "lat": -8.5, "title": "ú", "issue_type": "pothole" }`),
			text(`{"issue_type":"pothole","title":"\u00fa","latitude":-8.51,"longitude":125.5}`)},
		"batch": {"/reports/batch", text(`{"reports":[{"issue_type":"pothole","latitude":-8.5,"longitude":125.50,"client_id":"018f6f6e-1111-7000-8000-000000000001"}]}`),
			text(`{"reports":[{"client_id":"018f6f6e-1111-7000-8000-000000000001","longitude":125.5,"latitude":-8.5,"issue_type":"pothole"}]}`),
			text(`{"reports":[{"client_id":"018f6f6e-1111-7000-8000-000000000001","longitude":125.6,"latitude":-8.5,"issue_type":"pothole"}]}`)},
		"form": {"/reports", form("a", one, "issue_type=pothole", "latitude=-8.5", "longitude=125.50"),
			form("bb", one, "longitude=125.5", "lat=-8.5", "issue_type=pothole"), form("a", two, "issue_type=pothole", "latitude=-8.5", "longitude=125.50")},
		"upload": {"/reports/pre-upload-image", form("a", one), form("bb", one), form("a", two)},
	} {
		keyed := w.Citizen().With("Idempotency-Key", "k-1")
		first := keyed.Post(c.path, c.first)
		if first.Status >= 300 {
			t.Fatalf("%s: %d %s", name, first.Status, first.Body)
		}
		if again := keyed.Post(c.path, c.same); again.Header.Get("Idempotent-Replay") != "true" || again.Status != first.Status {
			t.Errorf("%s, the same values: %d %s", name, again.Status, again.Body)
		}
		if got := keyed.Post(c.path, c.other); got.Status != http.StatusUnprocessableEntity || got.Code() != "idempotency_key_reused" {
			t.Errorf("%s, another value: %d %s", name, got.Status, got.Body)
		}
	}
}
