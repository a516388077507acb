package public_test

import (
	"net/http"
	"testing"

	"github.com/lafaekstreet/backend/shared/credential"
)

// The code on a sheet of paper leads to the page of the report. It tells nobody whether there is one.
func TestQRCodeOfAReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	got := w.Anonymous().Get("/public/reports/ls-2026-000123/qr.svg").Want(http.StatusOK)
	want, err := credential.QRCode(w.URL + "/r/LS-2026-000123")
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Body) != want || got.Header.Get("Content-Type") != "image/svg+xml" || got.Header.Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("%v %s", got.Header, got.Body)
	}
	for _, other := range []string{"nonsense", "018f0000-0000-7000-8000-000000000001"} {
		w.Anonymous().Get("/public/reports/" + other + "/qr.svg").Want(http.StatusUnprocessableEntity)
	}
}
