package security

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/identity"
)

// A request header changes no method, no other header and no answer that is cached for others.
func TestRequestHeadersChangeNothingElse(t *testing.T) {
	t.Parallel()
	w := setup(t)
	maria := w.Citizen()
	r := maria.Post("/reports", draft(nil)).Want(http.StatusCreated).Object().Text("id")

	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		maria.With(name, http.MethodDelete).Get("/reports/" + r).Want(http.StatusOK)
	}
	if n := w.Int(`SELECT count(*) FROM reports WHERE deleted_at IS NULL`); n != 1 {
		t.Error("a header changed the method")
	}

	got := maria.With("X-Request-Id", "abc def<script>").Get("/reports/" + r)
	if id := got.Header.Get("X-Request-Id"); strings.ContainsAny(id, " <>") {
		t.Errorf("request id %q", id)
	}

	tour := maria.Post("/journeys", object{"name": "a\"; filename=\"x.exe\r\nSet-Cookie: a=b"}).Want(http.StatusCreated).Object().Text("_id")
	gpx := maria.Get("/journeys/" + tour + "/route.gpx").Want(http.StatusOK)
	if gpx.Header.Get("Set-Cookie") != "" || strings.Contains(gpx.Header.Get("Content-Disposition"), "exe\"") {
		t.Errorf("headers %v", gpx.Header)
	}

	w.Staff(identity.Moderator).Post("/reports/"+r+"/status", object{"status": "verified"}).Want(http.StatusOK)
	for _, path := range []string{"/api/v1/public/reports", "/api/v1/public/reports/" + r, "/api/v1/public/map?bbox=125,-9,126,-8&zoom=10", "/map", "/api/v1/public/stats/summary"} {
		for _, header := range []string{"Host", "X-Forwarded-Host", "Forwarded", "X-Original-URL"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set(header, "evil.example")
			if header == "Host" {
				req.Host = "evil.example"
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK || strings.Contains(string(raw), "evil.example") || strings.Contains(res.Header.Get("Location"), "evil") {
				t.Errorf("%s with %s: %d repeats it", path, header, res.StatusCode)
			}
		}
	}
}

// Cookies and tokens in URLs sign nobody in, so the page of another site cannot act for its reader.
func TestCookiesAndTokensInURLsSignNobodyIn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	maria := w.Citizen()
	for _, a := range []struct{ method, path string }{{"GET", "/users/me"}, {"POST", "/reports"}, {"GET", "/notifications"}} {
		got := w.Anonymous().With("Cookie", "access_token="+maria.Token+"; token="+maria.Token).Do(a.method, a.path, draft(nil))
		if got.Status != http.StatusUnauthorized || got.Header.Get("Access-Control-Allow-Credentials") != "" || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s %s: %d %v", a.method, a.path, got.Status, got.Header)
		}
	}
	if got := w.Anonymous().Get("/users/me?access_token=" + maria.Token); got.Status != http.StatusUnauthorized {
		t.Errorf("a token in the URL: %d", got.Status)
	}
}
