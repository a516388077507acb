package start_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/start"
)

// event is a request as API Gateway sends it: header names in lower case.
func event(method, path string) events.APIGatewayV2HTTPRequest {
	return events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: method + " " + path, RawPath: path, Headers: map[string]string{"host": "api.example.org"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			Stage: "$default", DomainName: "api.example.org", RequestID: "JKJaXmPLvHcESHA=",
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: method, Path: path, Protocol: "HTTP/1.1", SourceIP: "203.0.113.7",
			},
		},
	}
}

// handle serves e with h and fails the test on an error.
func handle(t *testing.T, h http.HandlerFunc, e events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	t.Helper()
	out, err := start.NewGateway(h, "").Handle(t.Context(), e)
	if err != nil {
		t.Fatalf("handle: %v", err)
	}
	return out
}

// seen is the request a handler gets for e.
func seen(t *testing.T, e events.APIGatewayV2HTTPRequest) (*http.Request, string) {
	t.Helper()
	var got *http.Request
	var body []byte
	out := handle(t, func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}, e)
	if got == nil {
		t.Fatalf("the handler was not called; answered %d %s", out.StatusCode, out.Body)
	}
	return got, string(body)
}

func TestHeadersKeepTheirCommas(t *testing.T) {
	t.Parallel()
	sent := map[string]string{
		"If-None-Match":   `W/"v7.abc", W/"v8.def"`,
		"If-Match":        `"v7", "v8"`,
		"Date":            "Sat, 21 Nov 2026 10:00:00 GMT",
		"Accept":          "application/json, text/html;q=0.9, */*;q=0.1",
		"Accept-Language": "tet, pt;q=0.8,en;q=0.5",
		"User-Agent":      "Mozilla/5.0 (Linux; Android 8.1) AppleWebKit/537.36 (KHTML, like Gecko)",
		"X-Signature":     "keyId=a,algorithm=b,  signature=c",
		"Authorization":   "Bearer a.b.c",
		"Content-Type":    "multipart/form-data; boundary=x",
	}
	e := event(http.MethodGet, "/x")
	for name, value := range sent {
		e.Headers[strings.ToLower(name)] = value
	}
	r, _ := seen(t, e)
	for name, want := range sent {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		if n := len(r.Header.Values(name)); n != 1 {
			t.Errorf("%s: got %d values, want 1", name, n)
		}
	}
}

func TestClientAddressIsWhatTheGatewaySaw(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"203.0.113.7", "2001:db8::7"} {
		e := event(http.MethodGet, "/x")
		e.RequestContext.HTTP.SourceIP = source
		e.Headers["x-forwarded-for"] = "198.51.100.99, 10.0.0.1"
		e.Headers["forwarded"] = "for=198.51.100.99"
		e.Headers["x-real-ip"] = "198.51.100.99"
		r, _ := seen(t, e)
		if got := httpapi.ClientAddress(r); got != source {
			t.Errorf("got address %q, want %q", got, source)
		}
		if strings.TrimSuffix(strings.NewReplacer("[", "", "]", "").Replace(r.RemoteAddr), ":0") != source {
			t.Errorf("RemoteAddr %q has no port", r.RemoteAddr)
		}
	}
}

func TestRequestIsThatOfTheClient(t *testing.T) {
	t.Parallel()
	e := event(http.MethodPost, "/api/v1/reports")
	e.RawQueryString = "q=caf%C3%A9+a%2Cb&q=2&empty=&flag"
	e.QueryStringParameters = map[string]string{"q": "café a,b,2"}
	e.Cookies = []string{"a=1", "b=2"}
	e.Body = `{"title":"Odamatan, boot"}`
	r, body := seen(t, e)
	if got := r.URL.Query()["q"]; !slices.Equal(got, []string{"café a,b", "2"}) {
		t.Errorf("query q: got %q", got)
	}
	if !r.URL.Query().Has("flag") || r.RequestURI != "/api/v1/reports?"+e.RawQueryString {
		t.Errorf("request URI: got %q", r.RequestURI)
	}
	if r.Host != "api.example.org" || r.Header.Get("Host") != "" {
		t.Errorf("host: got %q and header %q", r.Host, r.Header.Get("Host"))
	}
	if got := r.Header.Get("Cookie"); got != "a=1; b=2" || len(r.Cookies()) != 2 {
		t.Errorf("cookies: got %q", got)
	}
	if got := r.Header.Get("X-Request-Id"); got != e.RequestContext.RequestID {
		t.Errorf("request id: got %q, want the gateway's", got)
	}
	if body != e.Body || r.ContentLength != int64(len(body)) {
		t.Errorf("body: got %q of %d bytes", body, r.ContentLength)
	}
}

func TestBodyInBase64(t *testing.T) {
	t.Parallel()
	raw := string([]byte{0xff, 0xd8, 0xff, 0x00, 0x10})
	e := event(http.MethodPost, "/x")
	e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(raw)), true
	r, body := seen(t, e)
	if body != raw || r.ContentLength != int64(len(raw)) {
		t.Errorf("got %x of %d bytes, want %x", body, r.ContentLength, raw)
	}
	e.Body = "not base64!"
	if out := handle(t, unreachable(t), e); out.StatusCode != http.StatusBadRequest || problemCode(t, out) != "malformed_body" {
		t.Errorf("broken base64: got %d %s", out.StatusCode, out.Body)
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, stage, raw, want, escaped string }{
		{"default stage", "$default", "/api/v1/reports", "/api/v1/reports", "/api/v1/reports"},
		{"stage before the path", "prod", "/prod/api/v1/reports", "/api/v1/reports", "/api/v1/reports"},
		{"only the stage", "prod", "/prod", "/", "/"},
		{"stage with a slash", "prod", "/prod/", "/", "/"},
		{"stage is a prefix of a word", "pro", "/project", "/project", "/project"},
		{"custom domain without the stage", "prod", "/api/v1/reports", "/api/v1/reports", "/api/v1/reports"},
		{"the default stage's name in a path", "$default", "/$default/x", "/$default/x", "/$default/x"},
		{"trailing slash stays", "$default", "/api/v1/journeys/", "/api/v1/journeys/", "/api/v1/journeys/"},
		{"decoded by the gateway", "$default", "/r/São Pedro", "/r/São Pedro", "/r/S%C3%A3o%20Pedro"},
		{"decoded question mark", "$default", "/r/a?b#c", "/r/a?b#c", "/r/a%3Fb%23c"},
		{"left encoded", "$default", "/r/a%2Fb%20c", "/r/a/b c", "/r/a%2Fb%20c"},
		{"stray percent", "$default", "/r/100%", "/r/100%", "/r/100%25"},
		{"control character", "$default", "/r/a\nb", "/r/a\nb", "/r/a%0Ab"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := event(http.MethodGet, c.raw)
			e.RequestContext.Stage = c.stage
			e.RawQueryString = "page=2"
			r, _ := seen(t, e)
			if r.URL.Path != c.want || r.URL.EscapedPath() != c.escaped {
				t.Errorf("got %q (%q), want %q (%q)", r.URL.Path, r.URL.EscapedPath(), c.want, c.escaped)
			}
			if r.URL.Query().Get("page") != "2" {
				t.Errorf("the query is lost: %q", r.URL.RawQuery)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	type answer struct {
		status  int
		body    string
		headers map[string]string
		cookies []string
	}
	for _, c := range []struct {
		name   string
		method string
		h      http.HandlerFunc
		want   answer
	}{
		{"nothing written is 200", "GET", func(http.ResponseWriter, *http.Request) {},
			answer{status: 200}},
		{"headers alone are 200", "GET", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-A", "1") },
			answer{status: 200, headers: map[string]string{"X-A": "1"}}},
		{"204 has no body", "DELETE", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(204)
			if _, err := w.Write([]byte("x")); !errors.Is(err, http.ErrBodyNotAllowed) {
				t.Errorf("write after 204: got %v", err)
			}
		}, answer{status: 204}},
		{"the first status counts", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			w.WriteHeader(201)
			w.Header().Set("X-Late", "1")
			w.WriteHeader(500)
		}, answer{status: 201}},
		{"several values of a header", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Vary", "Origin")
			w.Header().Add("Vary", "Accept-Encoding")
			w.Header().Add("Set-Cookie", "a=1; Expires=Sat, 21 Nov 2026 10:00:00 GMT")
			w.Header().Add("Set-Cookie", "b=2")
			w.Header()["Date"] = nil
			w.WriteHeader(200)
		}, answer{status: 200, headers: map[string]string{"Vary": "Origin,Accept-Encoding"},
			cookies: []string{"a=1; Expires=Sat, 21 Nov 2026 10:00:00 GMT", "b=2"}}},
		{"text", "GET", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "pong é") },
			answer{status: 200, body: "pong é", headers: map[string]string{"Content-Type": "text/plain; charset=utf-8"}}},
		{"HEAD has no body", "HEAD", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "4")
			_, _ = io.WriteString(w, "pong")
		}, answer{status: 200, headers: map[string]string{"Content-Type": "text/plain; charset=utf-8", "Content-Length": "4"}}},
		{"bytes that look like text stay typed", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte{0x1f, 0x8b, 0x08})
		}, answer{status: 200, body: "\x1f\x8b\x08", headers: map[string]string{
			"Content-Type": "application/json", "Content-Encoding": "gzip"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := handle(t, c.h, event(c.method, "/x"))
			if out.StatusCode != c.want.status || bodyOf(t, out) != c.want.body {
				t.Errorf("got %d %q, want %d %q", out.StatusCode, bodyOf(t, out), c.want.status, c.want.body)
			}
			if len(out.Headers)+len(c.want.headers) > 0 && !maps.Equal(out.Headers, c.want.headers) {
				t.Errorf("headers: got %v, want %v", out.Headers, c.want.headers)
			}
			if len(out.Cookies)+len(c.want.cookies) > 0 && !slices.Equal(out.Cookies, c.want.cookies) {
				t.Errorf("cookies: got %q, want %q", out.Cookies, c.want.cookies)
			}
		})
	}
}

func TestPanicIsAProblemDocument(t *testing.T) {
	t.Parallel()
	out := handle(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Half", "1")
		_, _ = io.WriteString(w, "half an ans")
		panic("secret detail")
	}, event(http.MethodGet, "/x"))
	if out.StatusCode != http.StatusInternalServerError || problemCode(t, out) != "internal" {
		t.Errorf("got %d %s", out.StatusCode, out.Body)
	}
	if strings.Contains(out.Body, "secret") || strings.Contains(out.Body, "half") || out.Headers["X-Half"] != "" {
		t.Errorf("the answer tells what was before: %s %v", out.Body, out.Headers)
	}
}

func TestAnswerLargerThanLambdaCarries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		want       int
	}{
		{"text", strings.Repeat("a", 6<<20), 500},
		{"bytes", strings.Repeat("\xff", 5<<20), 500},
		{"text that grows too much", strings.Repeat("<", 5<<20), 500},
		{"text that grows", strings.Repeat("<", 4_500_000), 200}, // goes out in base64, and so do the next two
		{"lines that grow", strings.Repeat("\n", 4<<20), 200},
		{"separators that grow", strings.Repeat("\u2028", 1<<20+1<<18), 200},
		{"just small enough", strings.Repeat("a", 6<<20-128<<10), 200},
	} {
		out := handle(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.body) }, event("GET", "/x"))
		if raw, err := json.Marshal(out); err != nil || len(raw) > 6<<20 || out.StatusCode != c.want {
			t.Errorf("%s: got %d, %d bytes, %v; want %d within 6 MiB", c.name, out.StatusCode, len(raw), err, c.want)
		}
		body := out.Body
		if out.IsBase64Encoded {
			decoded, err := base64.StdEncoding.DecodeString(body)
			if body = string(decoded); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if c.want == 200 && body != c.body {
			t.Errorf("%s: another body of %d bytes", c.name, len(body))
		}
	}
}

func TestHandlerHasTimeLeftToAnswer(t *testing.T) {
	t.Parallel()
	deadline := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	var got time.Time
	h := func(_ http.ResponseWriter, r *http.Request) { got, _ = r.Context().Deadline() }
	if _, err := start.NewGateway(http.HandlerFunc(h), "").Handle(ctx, event("GET", "/x")); err != nil {
		t.Fatal(err)
	}
	if left := deadline.Sub(got); left != 400*time.Millisecond {
		t.Errorf("the handler's deadline is %v before Lambda's, want 400ms", left)
	}
}

func TestEventsThatAreNoRequests(t *testing.T) {
	t.Parallel()
	broken := event("GET", "/x")
	broken.RequestContext.DomainName = "a b\n"
	query := event("GET", "/x")
	query.RawQueryString = "a=\r\nb"
	for name, e := range map[string]events.APIGatewayV2HTTPRequest{
		"empty": {}, "method": event("G E T", "/x"), "domain": broken, "query": query,
	} {
		if out := handle(t, unreachable(t), e); out.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: got %d %s", name, out.StatusCode, out.Body)
		}
	}
}

func unreachable(t *testing.T) http.HandlerFunc {
	return func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") }
}

func bodyOf(t *testing.T, out events.APIGatewayV2HTTPResponse) string {
	t.Helper()
	if !out.IsBase64Encoded {
		return out.Body
	}
	raw, err := base64.StdEncoding.DecodeString(out.Body)
	if err != nil {
		t.Fatalf("body: %v", err)
	}
	return string(raw)
}

func problemCode(t *testing.T, out events.APIGatewayV2HTTPResponse) string {
	t.Helper()
	var doc struct{ Code string }
	if err := json.Unmarshal([]byte(out.Body), &doc); err != nil || out.Headers["Content-Type"] != "application/problem+json" {
		t.Fatalf("no problem document: %v %s", out.Headers, out.Body)
	}
	return doc.Code
}
