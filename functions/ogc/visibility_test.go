package ogc_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// everything is every address of this API at which a report could be seen or found.
func everything(id string) []string {
	paths := []string{"", "/api", "/conformance", "/collections", "/collections/reports", "/collections/reports/items/" + id}
	for _, query := range []string{"", "?status=pending,verified,rejected", "?severity=low,medium,high,critical", "?bbox=125,-9,126,-8", "?municipality=Dili", "?suco=Comoro", "?district=Dom+Aleixo", "?source=app", "?datetime=2020-01-01T00:00:00Z/.."} {
		paths = append(paths, "/collections/reports/items"+query)
	}
	return paths
}

// Nothing private is in any answer, as JSON or as a page: no reporter, no words without a verdict or hidden by a moderator, no
// report that was taken down.
func TestNothingPrivateIsInAnyAnswer(t *testing.T) {
	t.Parallel()
	s := setup(t)
	c := s.Citizen()
	s.Exec(`UPDATE users SET full_name = 'Secret Person', email = 'secret@example.org'`)
	shown := s.file(c, object{"title": "Everybody may read this", "is_anonymous": true, "device_info": object{"model": "SecretPhone"}})
	s.Verify(shown)
	pending := s.file(c, object{"title": "Not judged yet", "latitude": -8.5567891, "longitude": 125.5612345})
	hidden := s.file(c, object{"title": "Hidden by a moderator", "description": "Hidden too"})
	s.Verify(hidden)
	s.Exec(`UPDATE reports SET words_hidden = 'moderator', street = 'Hidden Street' WHERE id = $1`, hidden)
	rejected, withdrawn := s.file(c, object{"title": "Was rejected"}), s.file(c, object{"title": "Was withdrawn"})
	s.Exec(`UPDATE reports SET status = 'rejected', rejection_reason = 'no' WHERE id = $1`, rejected)
	s.Exec(`UPDATE reports SET deleted_at = now() WHERE id = $1`, withdrawn)
	s.Exec(`UPDATE reports SET street = 'Secret Street', severity = 'critical' WHERE id = $1`, pending)

	secrets := []string{"Secret Person", "secret@example.org", "SecretPhone", c.ID.String(), "Not judged yet", "8.5567891", "125.5612345", "Secret Street", `"severity":"critical"`, "Hidden by a moderator", "Hidden too", "Hidden Street",
		"Was rejected", "Was withdrawn"}
	found := 0
	for _, id := range []string{shown, pending, hidden, rejected, withdrawn} {
		for _, path := range everything(id) {
			for _, accept := range []string{"application/json", "text/html"} {
				got := s.nobody.With("Accept", accept).Get("//ogc" + path)
				body := string(got.Body)
				if gone := id == rejected || id == withdrawn; strings.HasSuffix(path, id) && (got.Status == http.StatusNotFound) != gone {
					t.Errorf("%s answers %d", path, got.Status)
				}
				if strings.Contains(path, "/items?") || strings.HasSuffix(path, "/items") {
					for _, absent := range []string{rejected, withdrawn} {
						if strings.Contains(body, absent) {
							t.Errorf("%s has a report that was taken down", path)
						}
					}
				}
				for _, secret := range secrets {
					if strings.Contains(body, secret) {
						t.Errorf("%s as %s tells %q", path, accept, secret)
					}
				}
				found += strings.Count(body, "Everybody may read this")
			}
		}
	}
	if found == 0 {
		t.Error("the public report is shown nowhere: the search proves nothing")
	}
}

// No filter and no count tells what the answer does not: a report without a verdict is found at the place that everybody sees, and by
// no severity.
func TestFiltersTellNoMoreThanAnswers(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id := s.file(s.Citizen(), object{"latitude": -8.5567891, "longitude": 125.5612345})
	s.Exec(`UPDATE reports SET severity = 'critical', suco = 'Typed', district = 'Typed', municipality = 'Typed', municipality_code = NULL WHERE id = $1`, id)
	for query, want := range map[string]int{
		"bbox=125.5612,-8.5568,125.5613,-8.5567": 0, "bbox=125.56095,-8.55705,125.56105,-8.55695": 1, "severity=critical": 0, "severity=low,medium,high,critical": 0, "suco=Typed": 0, "district=Typed": 0, "status=pending": 1,
	} {
		page := s.get("/collections/reports/items?" + query)
		if len(ids(page)) != want || int(page.Number("numberMatched")) != want {
			t.Errorf("%s finds %d, %v match", query, len(ids(page)), page.At("numberMatched"))
		}
	}
	f := s.get("/collections/reports/items/" + id)
	if at := points(f.At("geometry.coordinates"))[0]; !slices.Equal(at, []float64{125.561, -8.557}) || f.At("properties.severity") != nil || f.At("properties.suco") != nil {
		t.Errorf("the report is at %v: %v", at, f.At("properties"))
	}
}

// An answer may be kept for a minute by any cache and read by scripts of any page. Asked again, it is the same until something
// changes, whatever the time.
func TestLimitAndCaches(t *testing.T) {
	t.Parallel()
	s := withData(t)
	for _, r := range s.resources() {
		for _, accept := range []string{"application/json", "text/html"} {
			c := s.nobody.With("Accept", accept)
			got := c.Get("//ogc" + r.path).Want(http.StatusOK) // without Origin: a cache gives the answer to a script too
			h := got.Header
			if h.Get("Cache-Control") != "public, max-age=60" || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("RateLimit-Limit") != "100000" {
				t.Errorf("%s has the headers %v", r.path, h)
			}
			vary := strings.Join(h.Values("Vary"), ", ")
			for _, name := range []string{"Accept", "Accept-Language", "Cookie"} {
				if !slices.Contains(strings.Split(vary, ", "), name) {
					t.Errorf("%s varies by %s", r.path, vary)
				}
			}
			if tag := h.Get("ETag"); !strings.HasPrefix(tag, `W/"`) || len(c.With("If-None-Match", tag).Get("//ogc"+r.path).Want(http.StatusNotModified).Body) > 0 {
				t.Errorf("%s has the tag %s", r.path, tag)
			}
			if c.With("Accept-Encoding", "gzip").Get("//ogc"+r.path).Header.Get("Content-Encoding") != "gzip" && len(got.Body) > 2000 {
				t.Errorf("%s is not compressed", r.path)
			}
		}
	}
	tag := s.nobody.Get("//ogc/collections/reports/items").Header.Get("ETag")
	s.Exec(`UPDATE reports SET title = 'Another title' WHERE id = $1`, s.reports[2])
	if got := s.nobody.With("If-None-Match", tag).Get("//ogc/collections/reports/items"); got.Status != http.StatusOK {
		t.Errorf("after a change: %d", got.Status)
	}
	delete(s.Env, "RATE_LIMIT_VIEW_PER_MINUTE")
	s.Serve(openAll()...)
	if limit := s.nobody.Get("//ogc").Header.Get("RateLimit-Limit"); limit != "600" {
		t.Errorf("the limit is %s", limit)
	}
}

// An id that nobody gave is as unknown as any.
func TestUnknownFeature(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, accept := range []string{"*/*", "text/html"} {
		got := s.nobody.With("Accept", accept).Get("//ogc/collections/reports/items/" + uuid.NewString())
		if got.Status != http.StatusNotFound || strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") != (accept == "text/html") {
			t.Errorf("as %s: %d, %s", accept, got.Status, got.Header.Get("Content-Type"))
		}
	}
}
