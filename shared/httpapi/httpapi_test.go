package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// sample is a group with an operation for each rule.
type sample struct {
	secret string
}

func (*sample) Name() string { return "sample" }

type place struct {
	Latitude  float64 `json:"latitude" minimum:"-90" maximum:"90"`
	Longitude float64 `json:"longitude"`
	Note      string  `json:"note,omitempty" maxLength:"5"`
}

type placeInput struct{ Body place }

type placeOutput struct {
	ETag string `header:"ETag"`
	Body place
}

type listInput struct {
	Size int    `query:"page_size" default:"20" maximum:"100"`
	ID   string `query:"id" format:"uuid"`
	// Radius is a number of the query.
	Radius float64 `query:"radius"`
	Sorting
}

// Sorting is exported because huma only looks into exported embedded structs.
type Sorting struct {
	Sort string `query:"sort" enum:"created_at,updated_at" default:"created_at"`
}

type text struct{ Body struct{ Text string } }

func (s *sample) Register(a *httpapi.API) {
	op := func(method, path string) httpapi.Operation {
		return httpapi.Operation{Operation: huma.Operation{Method: method, Path: path}, Access: httpapi.Public}
	}
	create := op(http.MethodPost, "/places")
	create.Aliases = map[string]string{"lat": "latitude", "lon": "longitude", "lng": "longitude"}
	create.MaxBody = 2048
	httpapi.Register(a, create, func(_ context.Context, in *placeInput) (*placeOutput, error) {
		return &placeOutput{Body: in.Body, ETag: httpapi.VersionTag(7)}, nil
	})
	form := op(http.MethodPost, "/forms")
	form.Forms = true
	httpapi.Register(a, form, func(_ context.Context, in *struct {
		Body struct {
			Token string `json:"token" minLength:"1"`
		}
	}) (*text, error) {
		out := &text{}
		out.Body.Text = in.Body.Token
		return out, nil
	})
	list := op(http.MethodGet, "/places")
	list.Aliases = map[string]string{"limit": "page_size"}
	list.Cache = httpapi.Shared
	httpapi.Register(a, list, func(_ context.Context, in *listInput) (*text, error) {
		out := &text{}
		out.Body.Text = strings.Repeat("x", in.Size) + in.Sort
		return out, nil
	})
	httpapi.Register(a, op(http.MethodGet, "/versions/{n}"), func(_ context.Context, in *struct {
		N int `path:"n"`
	}) (*placeOutput, error) {
		return &placeOutput{ETag: httpapi.VersionTag(in.N)}, nil
	})
	httpapi.Register(a, op(http.MethodGet, "/fail/{how}"), func(_ context.Context, in *struct {
		How string `path:"how"`
	}) (*text, error) {
		switch in.How {
		case "panic":
			panic(s.secret)
		case "problem":
			return nil, problem.New(problem.Conflict, "conflict").With("allowed", []string{"fixed"}).Because(fmt.Errorf("%s", s.secret))
		}
		return nil, fmt.Errorf("query %s", s.secret)
	})
	signedIn := op(http.MethodGet, "/mine")
	signedIn.Access = httpapi.SignedIn
	httpapi.Register(a, signedIn, func(context.Context, *struct{}) (*text, error) { return &text{}, nil })
}

func serve(t *testing.T) (*httptest.Server, *bytes.Buffer) {
	t.Helper()
	var logs bytes.Buffer
	s := httptest.NewServer(httpapi.New(httpapi.Deps{
		Clock: timestamp.System{}, Log: slog.New(slog.NewTextHandler(&logs, nil)),
		Config: httpapi.Config{CORSOrigins: []string{"https://app.example"}},
	}, &sample{secret: "hunter2"}))
	t.Cleanup(s.Close)
	return s, &logs
}

type answer struct {
	status int
	header http.Header
	body   string
}

func send(t *testing.T, s *httptest.Server, method, path, contentType, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(raw)}
}

func TestAliasesAreReadAndFirstNamesEmitted(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	for _, body := range []string{
		`{"latitude":-8.5,"longitude":125.5}`, `{"lat":-8.5,"lng":125.5}`, `{"lat":-8.5,"lon":125.5,"unknown":[{"x":1}]}`,
	} {
		got := send(t, s, http.MethodPost, "/places", "application/json", body)
		if got.status != http.StatusOK || strings.TrimSpace(got.body) != `{"latitude":-8.5,"longitude":125.5}` {
			t.Errorf("%s: got %d %s", body, got.status, got.body)
		}
	}
	if got := send(t, s, http.MethodGet, "/places?limit=3", "", ""); !strings.Contains(got.body, `"xxxcreated_at"`) {
		t.Errorf("query alias: got %s", got.body)
	}
}

func TestWordsAreReadInAnySpelling(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	for _, spelling := range []string{"updated_at", "Updated-At", "UPDATED%20AT"} {
		got := send(t, s, http.MethodGet, "/places?limit=2&sort="+spelling, "", "")
		if got.status != http.StatusOK || !strings.Contains(got.body, `"xxupdated_at"`) {
			t.Errorf("%s: got %d %s", spelling, got.status, got.body)
		}
	}
	if got := send(t, s, http.MethodGet, "/places?sort=updated", "", ""); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a word of no set: got %d", got.status)
	}
}

func TestFormsAreReadAsJSON(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	multipart := "--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc\r\n--b--\r\n"
	for name, got := range map[string]answer{
		"json":       send(t, s, http.MethodPost, "/forms", "application/json", `{"token":"abc"}`),
		"urlencoded": send(t, s, http.MethodPost, "/forms", "application/x-www-form-urlencoded", "token=abc"),
		"multipart":  send(t, s, http.MethodPost, "/forms", "multipart/form-data; boundary=b", multipart),
		"query":      send(t, s, http.MethodPost, "/forms?token=abc", "", ""),
		// Generated clients name a type for the body that they do not send.
		"empty form":              send(t, s, http.MethodPost, "/forms?token=abc", "application/x-www-form-urlencoded", ""),
		"form with another field": send(t, s, http.MethodPost, "/forms?token=abc", "application/x-www-form-urlencoded", "x=1&token="),
		"empty multipart":         send(t, s, http.MethodPost, "/forms?token=abc", "multipart/form-data; boundary=b", ""),
		"multipart of nothing":    send(t, s, http.MethodPost, "/forms?token=abc", "multipart/form-data; boundary=b", "--b--\r\n"),
		"empty object":            send(t, s, http.MethodPost, "/forms?token=abc", "application/json", `{}`),
		"null":                    send(t, s, http.MethodPost, "/forms?token=abc", "application/json", `{"token":null}`),
		"body before query":       send(t, s, http.MethodPost, "/forms?token=other", "application/json", `{"token":"abc"}`),
	} {
		if got.status != http.StatusOK || !strings.Contains(got.body, `"abc"`) {
			t.Errorf("%s: got %d %s", name, got.status, got.body)
		}
	}
}

func TestProblemDocuments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, path, contentType, body string
		status                                int
		code                                  string
	}{
		{"unknown address", http.MethodGet, "/nowhere", "", "", 404, "not_found"},
		{"unknown method", http.MethodDelete, "/places", "", "", 405, "method_not_allowed"},
		{"out of range", http.MethodPost, "/places", "application/json", `{"latitude":120.25,"longitude":1}`, 422, "invalid_input"},
		{"malformed", http.MethodPost, "/places", "application/json", `{"latitude":`, 422, "malformed_body"},
		{"wrong media type", http.MethodPost, "/places", "text/csv", `a,b`, 415, "unsupported_media_type"},
		{"too large", http.MethodPost, "/places", "application/json", `{"note":"` + strings.Repeat("x", 4000) + `"}`, 413, "too_large"},
		{"malformed id", http.MethodGet, "/places?id=7", "", "", 422, "invalid_input"},
		{"no number", http.MethodGet, "/places?radius=NaN", "", "", 422, "invalid_input"},
		{"an infinite number", http.MethodGet, "/places?radius=-Inf", "", "", 422, "invalid_input"},
		{"no text in the query", http.MethodGet, "/places?sort=%00", "", "", 422, "invalid_input"},
		{"no token", http.MethodGet, "/mine", "", "", 401, "token_missing"},
		{"business rule", http.MethodGet, "/fail/problem", "", "", 409, "conflict"},
		{"internal", http.MethodGet, "/fail/error", "", "", 500, "internal"},
		{"panic", http.MethodGet, "/fail/panic", "", "", 500, "internal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, _ := serve(t)
			got := send(t, s, c.method, c.path, c.contentType, c.body, "Origin", "https://app.example")
			var doc map[string]any
			if err := json.Unmarshal([]byte(got.body), &doc); err != nil {
				t.Fatalf("not JSON: %s", got.body)
			}
			if got.status != c.status || doc["code"] != c.code || doc["status"] != float64(c.status) {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if got.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("content type %q", got.header.Get("Content-Type"))
			}
			if doc["request_id"] != got.header.Get("X-Request-Id") || doc["detail"] == "" {
				t.Errorf("request id or detail missing: %s", got.body)
			}
			if got.header.Get("Access-Control-Allow-Origin") != "https://app.example" {
				t.Error("no CORS header on an error")
			}
			if strings.Contains(got.body, "hunter2") || strings.Contains(got.body, "120.25") { // with a point: a request id may hold any digits
				t.Errorf("the answer tells what it must not: %s", got.body)
			}
			if c.status == 401 && got.header.Get("WWW-Authenticate") != "Bearer" {
				t.Error("no WWW-Authenticate")
			}
			if c.status == 405 && got.header.Get("Allow") == "" {
				t.Error("no Allow")
			}
		})
	}
}

func TestExtensionMembers(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	if got := send(t, s, http.MethodGet, "/fail/problem", "", ""); !strings.Contains(got.body, `"allowed":["fixed"]`) {
		t.Errorf("got %s", got.body)
	}
}

func TestDetailFollowsTheLanguage(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	for header, want := range map[string]string{
		"": "There is nothing here.", "pt-BR,pt;q=0.9": "Não existe nada aqui.", "tet": "La iha buat ida iha ne'e.", "id": "There is nothing here.",
	} {
		got := send(t, s, http.MethodGet, "/nowhere", "", "", "Accept-Language", header)
		if !strings.Contains(got.body, want) {
			t.Errorf("%q: got %s", header, got.body)
		}
	}
}

func TestConditionalReads(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	first := send(t, s, http.MethodGet, "/places", "", "")
	tag := first.header.Get("ETag")
	if first.status != 200 || tag == "" || first.header.Get("Cache-Control") != "public, max-age=60" {
		t.Fatalf("got %d %v", first.status, first.header)
	}
	for _, header := range []string{tag, `"other", ` + tag, "*", strings.TrimPrefix(tag, "W/")} {
		if got := send(t, s, http.MethodGet, "/places", "", "", "If-None-Match", header); got.status != 304 || got.body != "" {
			t.Errorf("%s: got %d %q", header, got.status, got.body)
		}
	}
	if got := send(t, s, http.MethodGet, "/places?page_size=7", "", "", "If-None-Match", tag); got.status != 200 {
		t.Errorf("another body under the old tag: got %d", got.status)
	}
}

func TestVersionInTheEntityTag(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	tag := send(t, s, http.MethodGet, "/versions/3", "", "").header.Get("ETag")
	if err := httpapi.CheckMatch(tag, 3); err != nil {
		t.Errorf("%s does not match its own version: %v", tag, err)
	}
	if err := httpapi.CheckMatch(tag, 4); err == nil {
		t.Errorf("%s matches a later version", tag)
	}
	if httpapi.CheckMatch("", 4) != nil || httpapi.CheckMatch("*", 4) != nil || httpapi.CheckMatch(`"v4"`, 4) != nil {
		t.Error("absent, * and the plain version must match")
	}
}

func TestPreflightNeedsNoToken(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	got := send(t, s, http.MethodOptions, "/mine", "", "", "Origin", "https://app.example",
		"Access-Control-Request-Method", "PATCH", "Access-Control-Request-Headers", "authorization,if-match")
	if got.status != 204 || got.header.Get("Access-Control-Allow-Origin") != "https://app.example" ||
		!strings.Contains(got.header.Get("Access-Control-Allow-Methods"), "PATCH") ||
		!strings.Contains(got.header.Get("Access-Control-Allow-Headers"), "If-Match") {
		t.Errorf("got %d %v", got.status, got.header)
	}
	stranger := send(t, s, http.MethodGet, "/places", "", "", "Origin", "https://evil.example")
	if stranger.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a stranger's origin was allowed")
	}
}

func TestRequestIDIsTheClientsWhenHarmless(t *testing.T) {
	t.Parallel()
	s, logs := serve(t)
	if got := send(t, s, http.MethodGet, "/places", "", "", "X-Request-Id", "client-0001"); got.header.Get("X-Request-Id") != "client-0001" {
		t.Errorf("got %q", got.header.Get("X-Request-Id"))
	}
	if got := send(t, s, http.MethodGet, "/places", "", "", "X-Request-Id", "a b\" level=ERROR"); strings.Contains(got.header.Get("X-Request-Id"), "ERROR") {
		t.Error("a hostile id was taken over")
	}
	if !strings.Contains(logs.String(), `route="GET /places"`) {
		t.Errorf("log lines name the route: %s", logs)
	}
}
