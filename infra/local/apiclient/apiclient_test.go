package apiclient_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// echo answers with what it received: method, address, token, media type and body.
func echo(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		_, _ = io.WriteString(w, strings.Join([]string{r.Method, r.Host, r.URL.String(), r.Header.Get("Authorization"), media, string(body)}, "|"))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestRequests(t *testing.T) {
	t.Parallel()
	address := echo(t)
	host := strings.TrimPrefix(address, "http://")
	c := apiclient.NewTester(t, address).WithToken("secret")
	form := apiclient.Form{Fields: map[string]string{"name": "value"}, FileField: "file", FileName: "a.jpg", File: []byte("bytes")}
	for want, r := range map[string]apiclient.Request{
		"GET|" + host + "|/api/v1/reports?q=1|Bearer secret||":                              {Path: "/reports?q=1"},
		"GET|" + host + "|/health|Bearer secret||":                                          {Path: "//health"},
		"PUT|" + host + `|/api/v1/a|Bearer secret|application/json|{"a":1}`:                 {Method: "PUT", Path: "/a", Body: map[string]int{"a": 1}},
		"POST|" + host + `|/api/v1/a|Bearer secret|application/json|{"a"`:                   {Method: "POST", Path: "/a", Body: []byte(`{"a"`)},
		"POST|" + host + "|/api/v1/a|Bearer secret|application/x-www-form-urlencoded|a=b+c": {Method: "POST", Path: "/a", Body: url.Values{"a": {"b c"}}},
		"POST|" + host + "|/api/v1/a|Bearer secret|application/gpx+xml|<gpx/>":              {Method: "POST", Path: "/a", Body: apiclient.Raw{ContentType: "application/gpx+xml", Body: []byte("<gpx/>")}},
		"GET|other.example|/api/v1/a|none||":                                                {Path: "/a", Header: http.Header{"Host": {"other.example"}, "Authorization": {"none"}}},
	} {
		if got := c.Send(t.Context(), r).Want(200); string(got.Body) != want {
			t.Errorf("%s\n got %s\nwant %s", r, got.Body, want)
		}
	}
	for _, part := range []string{"multipart/form-data", `name="file"; filename="a.jpg"`, "\r\n\r\nbytes\r\n", `name="name"`, "\r\n\r\nvalue\r\n"} {
		if got := c.Post("/a", form); !strings.Contains(string(got.Body), part) {
			t.Errorf("form %s without %q", got.Body, part)
		}
	}
}

func TestCall(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, `{"ai":{"status":"done"},"items":[{"n":1},"x"]}`)
			_ = z.Close()
		case "/moved":
			http.Redirect(w, r, "/ok", http.StatusFound)
		default:
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"code":"taken","detail":"It is taken."}`)
		}
	}))
	t.Cleanup(server.Close)
	c := apiclient.Client{URL: server.URL, Header: http.Header{"Accept-Encoding": {"gzip"}}}
	var o apiclient.Object
	if err := c.Call(t.Context(), apiclient.Request{Path: "//ok"}, &o); err != nil || o.Text("ai.status") != "done" || len(o.Items("items")) != 1 || o.Items("items")[0].Number("n") != 1 {
		t.Errorf("got %v, %v", o, err)
	}
	err := c.Call(t.Context(), apiclient.Request{Method: "POST", Path: "//x"}, &o)
	var refused *apiclient.StatusError
	if !errors.As(err, &refused) || refused.Response.Status != 409 || err.Error() != "POST //x: 409 taken It is taken." {
		t.Errorf("got %v", err)
	}
	if err := c.Call(t.Context(), apiclient.Request{Path: "//moved"}, nil); !errors.As(err, &refused) || refused.Response.Status != 302 {
		t.Errorf("a redirect: %v", err)
	}
}
