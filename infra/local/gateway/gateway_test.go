package gateway

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// function is a route group of a test.
type function struct {
	http.HandlerFunc
	name string
}

func (f function) Name() string { return f.name }

// serve answers every request with handler.
func serve(t *testing.T, handler http.HandlerFunc) *Gateway {
	t.Helper()
	g, err := New(slog.New(slog.DiscardHandler), function{handler, "meta"})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func send(g *Gateway, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

func echo(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(w, r.Body)
}

// The context of a function ends before the gateway's timeout, so that the function can still answer.
func TestFunctionHasTimeLeftToAnswer(t *testing.T) {
	t.Parallel()
	var left time.Duration
	g := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		deadline, _ := r.Context().Deadline()
		left = time.Until(deadline)
	})
	g.timeout = time.Hour
	send(g, httptest.NewRequest("GET", "/x", nil))
	if left <= 0 || left > time.Hour-time.Hour/spare {
		t.Errorf("the function has %s of one hour", left)
	}
}

// A function is held to the timeout that it has in Lambda when that is shorter than the gateway's.
func TestFunctionHasTheTimeoutOfLambda(t *testing.T) {
	t.Parallel()
	var left time.Duration
	f := function{func(_ http.ResponseWriter, r *http.Request) {
		deadline, _ := r.Context().Deadline()
		left = time.Until(deadline)
	}, "meta"}
	g, err := New(slog.New(slog.DiscardHandler), WithTimeout(f, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	g.timeout = time.Hour
	send(g, httptest.NewRequest("GET", "/x", nil))
	if left <= 0 || left > time.Minute {
		t.Errorf("the function has %s of one minute", left)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	tests := map[string]struct {
		handler http.HandlerFunc
		body    int
		status  int
	}{
		"largest request and answer": {echo, MaxBytes, http.StatusOK},
		"larger request":             {echo, MaxBytes + 1, http.StatusRequestEntityTooLarge},
		"larger headers":             {echo, 0, http.StatusRequestHeaderFieldsTooLarge},
		"larger answer": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, MaxBytes))
			_, _ = w.Write([]byte("x"))
		}, 0, http.StatusBadGateway},
		"panic": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half an answer"))
			panic("at work")
		}, 0, http.StatusBadGateway},
		"silence": {func(http.ResponseWriter, *http.Request) { <-over }, 0, http.StatusGatewayTimeout},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := serve(t, test.handler)
			if name == "silence" {
				g.timeout = time.Millisecond // the function waits for the end of the test, so any value gives the same result
			}
			r := httptest.NewRequest("POST", "/x", bytes.NewReader(make([]byte, test.body)))
			r.Header.Set("Origin", "https://www.example.org")
			if name == "larger headers" {
				r.Header["Accept"] = []string{strings.Repeat("a", MaxHeaderBytes/2), strings.Repeat("b", MaxHeaderBytes/2)}
			}
			answer := send(g, r)
			if answer.Code != test.status {
				t.Errorf("status %d, want %d", answer.Code, test.status)
			}
			if test.status != http.StatusOK && answer.Header().Get("X-Request-Id") == "" {
				t.Error("the refusal has no request id")
			}
			if test.status != http.StatusOK && (answer.Header().Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(answer.Header().Get("Access-Control-Expose-Headers"), "X-Request-Id")) {
				t.Errorf("a script cannot read the refusal: %v", answer.Header())
			}
			if test.status != http.StatusOK && answer.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("refused as %q", answer.Header().Get("Content-Type"))
			}
		})
	}
}

// The code of a refused file is the one with which functions refuse a file that is too large for them.
func TestAFormThatIsTooLargeIsToldOfDirectUpload(t *testing.T) {
	t.Parallel()
	g := serve(t, echo)
	for _, c := range []struct{ path, media, want string }{
		{"/x", "multipart/form-data; boundary=b", "use_direct_upload"},
		{"/api/v1/journeys/1/import", "application/gpx+xml", "use_direct_upload"},
		{"/x", "application/json", "request_too_large"},
	} {
		r := httptest.NewRequest("POST", c.path, bytes.NewReader(make([]byte, MaxBytes+1)))
		r.Header.Set("Content-Type", c.media)
		if answer := send(g, r); !strings.Contains(answer.Body.String(), `"`+c.want+`"`) {
			t.Errorf("%s: %s, want code %s", c.media, answer.Body, c.want)
		}
	}
}

func TestRouting(t *testing.T) {
	t.Parallel()
	var functions []Function
	for _, f := range []string{"reports", "community", "journeys", "meta"} {
		functions = append(functions, function{func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(f)) }, f})
	}
	g, err := New(slog.New(slog.DiscardHandler), functions...)
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]string{
		"GET /api/v1/reports": "reports", "POST /api/v1/reports/": "reports", "HEAD /api/v1/reports/1": "reports",
		"GET /api/v1/reports/1/comments": "community", "DELETE /api/v1/reports/1/comments/2": "community",
		"GET /api/v1/reports/stats/summary": "reports", // monitoring is not served here
		"POST /api/v1/journeys/":            "journeys", "GET /nowhere": "meta", "GET /": "meta", "OPTIONS /api/v1/journeys": "journeys",
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := send(g, httptest.NewRequest(method, path, nil)).Body.String(); got != want {
			t.Errorf("%s reaches %s, want %s", request, got, want)
		}
	}
	if _, err := New(slog.New(slog.DiscardHandler), functions[0], functions[0]); err == nil {
		t.Error("two functions of one name are accepted")
	}
	if _, err := New(slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a gateway without a function is accepted")
	}
}

func TestClientAddress(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ peer, forwarded, want string }{
		"local peer":                    {"127.0.0.1:5000", "", "127.0.0.1:5000"},
		"local proxy names the client":  {"127.0.0.1:5000", "198.51.100.1, 203.0.113.9", "203.0.113.9:5000"},
		"local proxy over IPv6":         {"[::1]:5000", "2001:db8::1", "[2001:db8::1]:5000"},
		"local proxy sends no address":  {"127.0.0.1:5000", "unknown", "127.0.0.1:5000"},
		"other peers are not trusted":   {"192.0.2.7:5000", "203.0.113.9", "192.0.2.7:5000"},
		"a mapped address is not local": {"[::ffff:192.0.2.7]:5000", "203.0.113.9", "[::ffff:192.0.2.7]:5000"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got string
			g := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })
			r := httptest.NewRequest("GET", "/x", nil)
			r.RemoteAddr = test.peer
			if test.forwarded != "" {
				r.Header.Set("X-Forwarded-For", test.forwarded)
			}
			send(g, r)
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
