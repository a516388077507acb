package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// mirror answers what it understood.
type mirror struct{}

type mirrored struct {
	ETag string `header:"ETag"`
	Body struct {
		Language string `json:"language"`
		Padding  string `json:"padding"`
	}
}

type echoed struct {
	Body struct {
		Name string `json:"name" maxLength:"100"`
		Age  string `json:"age,omitempty" maxLength:"100"`
	}
}

// Name implements Group.
func (mirror) Name() string { return "mirror" }

// Register implements Group.
func (mirror) Register(a *API) {
	Register(a, Operation{Operation: huma.Operation{Method: http.MethodGet, Path: "/mirror"}, Access: Public, Cache: Shared},
		func(ctx context.Context, _ *struct{}) (*mirrored, error) {
			out := &mirrored{ETag: VersionTag(7)}
			out.Body.Language, out.Body.Padding = string(locale.FromContext(ctx)), strings.Repeat("lafaek ", 400)
			return out, nil
		})
	Register(a, Operation{Operation: huma.Operation{Method: http.MethodPost, Path: "/mirror", DefaultStatus: http.StatusOK}, Access: Public, Forms: true, Creates: true,
		Aliases: map[string]string{"full_name": "name", "years": "age"}, LimitMember: "name"},
		func(_ context.Context, in *echoed) (*echoed, error) { return in, nil })
}

func mirrorService() *Service {
	return New(Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler), Config: Config{CORSOrigins: []string{"https://map.example"}}}, mirror{})
}

// FuzzHeaders: for any request headers the answer is complete and in one of our
// languages, and pages of other origins cannot read it. The body is left out only for a
// request that names the present version.
func FuzzHeaders(f *testing.F) {
	service := mirrorService()
	whole := httptest.NewRecorder()
	service.ServeHTTP(whole, httptest.NewRequest(http.MethodGet, "/mirror", nil))
	tag := whole.Header().Get("ETag")
	if whole.Code != http.StatusOK || tag == "" {
		f.Fatalf("status %d, ETag %q: %s", whole.Code, tag, whole.Body)
	}
	for _, seed := range [][4]string{{"pt-TL;q=0.9", tag, "gzip", "https://map.example"}, {"", "*", "*;q=0", "https://evil.example"}, {"tet", `"a", ` + strings.TrimPrefix(tag, "W/"), "gzip;q=0, *", "null"},
		{"\xff", `W/"`, "x-gzip;q=1;q=0,", ""}, {"*", `W/W/` + tag, "gzip;q=NaN", "https://map.example.evil"}, {"en-", ",,", "br", "HTTPS://MAP.EXAMPLE"}} {
		f.Add(seed[0], seed[1], seed[2], seed[3], "018f6f6e-1111", "application/json")
	}
	f.Fuzz(func(t *testing.T, language, held, encoding, origin, id, contentType string) {
		r := httptest.NewRequest(http.MethodGet, "/mirror", nil)
		for name, value := range map[string]string{"Accept-Language": language, "If-None-Match": held, "Accept-Encoding": encoding, "Origin": origin,
			"X-Request-Id": id, "Content-Type": contentType, "If-Match": held, "X-Forwarded-Proto": id} {
			r.Header[name] = []string{value}
		}
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		got := w.Header()
		if !isRequestID(got.Get("X-Request-Id")) {
			t.Errorf("request id %q", got.Get("X-Request-Id"))
		}
		if allowed := got.Get("Access-Control-Allow-Origin"); allowed != "" && (allowed != origin || origin != "https://map.example") {
			t.Errorf("%q may read it: %q", origin, allowed)
		}
		if w.Code == http.StatusNotModified {
			hash := strings.Trim(strings.TrimPrefix(got.Get("ETag"), "W/"), `"`)
			if w.Body.Len() > 0 || strings.TrimSpace(held) != "*" && !strings.Contains(held, hash) {
				t.Errorf("who holds %q is told nothing has changed from %q", held, hash)
			}
			return
		}
		if w.Code != http.StatusOK {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		body := w.Body.Bytes()
		if got.Get("Content-Encoding") == "gzip" {
			if !strings.Contains(strings.ToLower(encoding), "gzip") && !strings.Contains(encoding, "*") {
				t.Errorf("packed for %q", encoding)
			}
			unpacked, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			if body, err = io.ReadAll(unpacked); err != nil {
				t.Fatal(err)
			}
		}
		var said struct{ Language, Padding string }
		if err := json.Unmarshal(body, &said); err != nil || len(said.Padding) != 2800 {
			t.Fatalf("%d bytes, %v", len(body), err)
		}
		if _, ok := locale.Parse(said.Language); !ok {
			t.Errorf("language %q", said.Language)
		}
	})
}

// FuzzBody: any body, JSON or form, under any address, is understood as what it
// says, or refused as the sender's fault with a document; and the database can keep it.
func FuzzBody(f *testing.F) {
	const plain, form, parts = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
	for _, seed := range [][3]string{
		{plain, `{"name":"Ana","age":"3"}`, ""}, {plain, `{"full_name":"a\u0000b\\u0000c\ud800"}`, "a=b"}, {plain, `{"name":1}`, "%zz"}, {plain, `[{"name":"a"}]`, ""}, {plain, ``, "name=Ana&years=3"},
		{form, `full_name=Ana&years=%33&name=`, ""}, {form, `a=%zz`, ""}, {form, `;`, ""}, {parts, "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAna\r\n--b--\r\n", ""},
		{"multipart/form-data", "--b", ""}, {"application/problem+json; charset=utf-16", `{"name":"a"}`, ""}, {"", "name=a", "name=\x00"}, {"a/b/c", strings.Repeat("[", 20000), ""},
	} {
		f.Add(seed[0], []byte(seed[1]), seed[2])
	}
	service := mirrorService()
	f.Fuzz(func(t *testing.T, contentType string, body []byte, query string) {
		r := httptest.NewRequest(http.MethodPost, "/mirror", bytes.NewReader(body))
		r.URL.RawQuery = query
		r.Header["Content-Type"] = []string{contentType}
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			var d problem.Document
			if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || d.Code == "" || w.Code < 400 || w.Code > 499 {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			return
		}
		var said struct{ Name, Age string }
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{said.Name, said.Age} {
			if !validText(text) || len([]rune(text)) > 100 {
				t.Errorf("%q is kept", text)
			}
		}
	})
}
