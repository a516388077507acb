package open311_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/open311"
)

// recorded runs the suite against a handler and returns the methods and bodies of all requests.
func recorded(t *testing.T, o open311.Options, answer http.HandlerFunc) (open311.Report, []string) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			_ = r.ParseForm()
		}
		mu.Lock()
		seen = append(seen, r.Method+" "+r.URL.String()+" "+r.PostForm.Encode())
		mu.Unlock()
		if !strings.HasPrefix(r.UserAgent(), "open311-conformance/") {
			t.Errorf("user agent %q", r.UserAgent())
		}
		answer(w, r)
	}))
	defer hs.Close()
	o.URL = hs.URL + "/v2"
	report, err := open311.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report, seen
}

func TestNothingIsFiledUnlessAsked(t *testing.T) {
	t.Parallel()
	right := newServer(t)
	_, seen := recorded(t, open311.Options{APIKey: key, Now: func() time.Time { return now }}, right.ServeHTTP)
	for _, r := range seen {
		if !strings.HasPrefix(r, "GET ") || strings.Contains(r, key) {
			t.Errorf("sent %s", r)
		}
	}
	if len(seen) < 40 {
		t.Errorf("%d requests", len(seen))
	}
}

func TestEachRequestHasTheJurisdiction(t *testing.T) {
	t.Parallel()
	right := newServer(t)
	_, seen := recorded(t, open311.Options{APIKey: key, Write: true, Lat: "-8.55", Long: "125.57", Jurisdiction: "city.example", Now: func() time.Time { return now }}, right.ServeHTTP)
	for _, r := range seen {
		if !strings.Contains(r, "jurisdiction_id=city.example") && !strings.Contains(r, "jurisdiction_id=no-such-thing") {
			t.Errorf("sent %s", r)
		}
	}
}

// A server that redirects a POST elsewhere does not get the key there.
func TestKeyGoesToNoOtherAddress(t *testing.T) {
	t.Parallel()
	right := newServer(t)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s reached another address", r.Method, r.URL)
	}))
	t.Cleanup(other.Close)
	_, seen := recorded(t, open311.Options{APIKey: key, Write: true, Lat: "-8.55", Long: "125.57", Now: func() time.Time { return now }}, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
			return
		}
		right.ServeHTTP(w, r)
	})
	if !strings.Contains(strings.Join(seen, "\n"), "POST ") {
		t.Error("nothing was posted")
	}
}

// Endless answers, closed connections and 429 end a check and not the run.
func TestRunEndsWithAnyServer(t *testing.T) {
	t.Parallel()
	big := []byte(strings.Repeat("x", 1<<20))
	for name, answer := range map[string]http.HandlerFunc{
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.URL.Path == "/v2/services.xml" {
				if _, err := w.Write(big); err != nil {
					return
				}
			}
		},
		"closes":       func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"always 429":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"nothing":      func(http.ResponseWriter, *http.Request) {},
		"empty object": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) },
		"empty list":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("[]")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, _ := recorded(t, open311.Options{APIKey: key, Write: true, Lat: "-8.55", Long: "125.57"}, answer)
			if report.Count(open311.Must, open311.Fail) == 0 || report.Count(open311.Must, open311.NotTried) == 0 {
				t.Errorf("got %+v", report)
			}
		})
	}
}

func TestRunRefusesOptionsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]open311.Options{
		"no address": {}, "no scheme": {URL: "city.example/v2"}, "query": {URL: "https://city.example/v2?x=1"}, "other scheme": {URL: "ftp://city.example"},
		"no key": {URL: "https://city.example", Write: true}, "half a place": {URL: "https://city.example", Lat: "1"},
	} {
		if _, err := open311.Run(t.Context(), o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
