package security

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/identity"
)

// answer is the head of an HTTP answer.
type answer struct {
	StatusCode int
	Header     http.Header
}

// call sends a request with a token, and a body if it is not empty. It follows no redirect.
func call(t *testing.T, w *testenv.System, method, path, token, body string, header ...string) (answer, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity") // the client would ask for gzip with GET alone
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := http.Client{CheckRedirect: apiclient.NoRedirect}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header}, string(text)
}

// concrete is a path of the catalogue with an id in place of each parameter, without a slash at its end.
func concrete(path string) string {
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "0197b8a0-0000-7000-8000-000000000000"
		}
	}
	return strings.Join(parts, "/")
}

// methodsAt lists what a function serves at a path: methods of all its routes that match, in order.
func methodsAt(function catalog.FunctionName, path string) []string {
	out, segments, fixed := []string{"OPTIONS"}, strings.Split(path, "/"), false
	for _, r := range catalog.Routes() {
		pattern := strings.Split(strings.TrimSuffix(r.Path, "/"), "/")
		same := r.Function == function && len(pattern) == len(segments)
		for i := range min(len(pattern), len(segments)) {
			same = same && (pattern[i] == segments[i] || strings.HasPrefix(pattern[i], "{"))
		}
		if !same {
			continue
		}
		if slices.Equal(pattern, segments) { // a path without a variable has its own methods alone
			if !fixed {
				fixed, out = true, out[:1]
			}
		} else if fixed {
			continue
		}
		out = append(out, r.Methods...)
		if slices.Contains(r.Methods, "GET") {
			out = append(out, "HEAD")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// varying are headers that differ between two answers to the same request.
var varying = []string{"Content-Length", "Date", "Ratelimit-Remaining", "Ratelimit-Reset", "X-Request-Id"}

// constant returns the headers of the answer for a path that do not vary.
func constant(path string, res answer) http.Header {
	h := res.Header.Clone()
	for _, name := range varying {
		h.Del(name)
	}
	// These answers have the time, and the position in the history of all databases of the server.
	if path := strings.TrimSuffix(path, "/"); path == "/health" || path == "/stats" || path == "/api/v1/reports/changes" {
		h.Del("Etag")
	}
	return h
}

// Every GET answers HEAD with the same status and headers, and with a slash at the end of the path as without.
func TestEveryGetAnswersHeadAndASlash(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Citizen().Post("/reports", draft(nil)).Want(http.StatusCreated)
	tokens := map[string]string{"nobody": "", "citizen": w.Citizen().Token, "admin": w.Staff(identity.Admin).Token}
	answered := make(map[int]int)
	for _, route := range catalog.Routes() {
		path := concrete(route.Path)
		if !slices.Contains(route.Methods, "GET") || path == "/health/ready" { // nothing of it is ready in this test
			continue
		}
		for who, token := range tokens {
			want, _ := call(t, w, "GET", path, token, "")
			answered[want.StatusCode]++
			for _, other := range []string{"HEAD " + path, "HEAD " + path + "/", "GET " + path + "/"} {
				method, path, _ := strings.Cut(other, " ")
				got, _ := call(t, w, method, path, token, "")
				if got.StatusCode != want.StatusCode || !maps.EqualFunc(constant(path, got), constant(path, want), slices.Equal) {
					t.Errorf("%s as %s: %d %v\n GET answers %d %v", other, who, got.StatusCode, constant(path, got), want.StatusCode, constant(path, want))
				}
			}
		}
	}
	if answered[http.StatusOK] < 50 {
		t.Errorf("only %v were answered", answered)
	}
}

// A slash at the end of a path changes nothing for the other methods, and no redirect loses the body.
func TestASlashAtTheEndChangesNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, route := range catalog.Routes() {
		for _, method := range route.Methods {
			path := concrete(route.Path)
			want, _ := call(t, w, method, path, "", "{}")
			if got, body := call(t, w, method, path+"/", "", "{}"); got.StatusCode != want.StatusCode {
				t.Errorf("%s %s/: %d %s, without the slash %d", method, path, got.StatusCode, body, want.StatusCode)
			}
		}
	}
	c := w.Citizen()
	for i, path := range []string{"/api/v1/reports/", "/api/v1/reports//", "/api/v1/reports/./"} {
		if res, body := call(t, w, "POST", path, c.Token, `{"issue_type":"pothole","longitude":125.5603,"latitude":-8.`+strconv.Itoa(500+i)+`}`); res.StatusCode != http.StatusCreated {
			t.Errorf("POST %s: %d %s", path, res.StatusCode, body)
		}
	}
	if res, body := call(t, w, "POST", "/api/v1/journeys", c.Token, `{"name":"Tour"}`); res.StatusCode != http.StatusCreated {
		t.Errorf("POST /journeys: %d %s", res.StatusCode, body)
	}
}

// Each path names its methods: in the answer to OPTIONS, and with the 405 for another method. A script of another origin may read
// both.
func TestEveryPathNamesItsMethods(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, route := range catalog.Routes() {
		path := concrete(route.Path)
		want := methodsAt(route.Function, path)
		for method, status := range map[string]int{"OPTIONS": http.StatusNoContent, "PROPFIND": http.StatusMethodNotAllowed} {
			for _, path := range []string{path, path + "/"} {
				res, body := call(t, w, method, path, "", "", "Origin", "https://www.example.org")
				allow := strings.Split(res.Header.Get("Allow"), ", ")
				slices.Sort(allow)
				if res.StatusCode != status || !slices.Equal(allow, want) || res.Header.Get("Access-Control-Allow-Origin") != "*" {
					t.Errorf("%s %s: %d, Allow %v, want %d, %v: %s", method, path, res.StatusCode, allow, status, want, body)
				}
			}
		}
	}
	for _, method := range []string{"OPTIONS", "GET"} {
		if res, body := call(t, w, method, "/api/v1/nowhere", "", ""); res.StatusCode != http.StatusNotFound || !strings.Contains(body, `"not_found"`) {
			t.Errorf("%s of an unknown path: %d %s", method, res.StatusCode, body)
		}
	}
}

// A browser lets a script of another origin send what HTTP clients add by themselves, but never the header by which our own pages
// are known. The script may read the headers that it needs, also of an error.
func TestScriptsOfOtherOrigins(t *testing.T) {
	t.Parallel()
	w := setup(t)
	const origin = "https://www.example.org"
	res, _ := call(t, w, "OPTIONS", "/api/v1/reports", "", "", "Origin", origin, "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "authorization,baggage,content-type,sentry-trace,traceparent,x-lafaekstreet,x-requested-with")
	allowed := strings.Split(strings.ToLower(res.Header.Get("Access-Control-Allow-Headers")), ", ")
	for _, name := range []string{"authorization", "baggage", "content-type", "sentry-trace", "traceparent", "x-requested-with", "x-client-time", "idempotency-key"} {
		if !slices.Contains(allowed, name) {
			t.Errorf("%s is not allowed", name)
		}
	}
	if slices.Contains(allowed, "x-lafaekstreet") || slices.Contains(allowed, "*") {
		t.Errorf("allowed: %v", allowed)
	}
	if res.StatusCode != http.StatusNoContent || res.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(res.Header.Get("Access-Control-Allow-Methods"), "PATCH") {
		t.Errorf("preflight: %d %v", res.StatusCode, res.Header)
	}
	for path, status := range map[string]int{"/api/v1/reports": http.StatusUnauthorized, "/api/v1/meta": http.StatusOK, "/nowhere": http.StatusNotFound} {
		res, _ := call(t, w, "GET", path, "", "", "Origin", origin)
		exposed := strings.Split(strings.ToLower(res.Header.Get("Access-Control-Expose-Headers")), ", ")
		for _, name := range []string{"etag", "location", "content-disposition", "x-request-id", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset",
			"retry-after", "idempotent-replay", "next-cursor", "www-authenticate"} {
			if !slices.Contains(exposed, name) {
				t.Errorf("%s: %s cannot be read", path, name)
			}
		}
		if res.StatusCode != status || res.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %v", path, res.StatusCode, res.Header)
		}
	}
}
