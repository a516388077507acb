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

	"github.com/lafaekstreet/backend/shared/httpapi"
)

// function is a route group of a test.
type function struct {
	http.HandlerFunc
	routes []httpapi.Route
}

func (f function) Routes() []httpapi.Route { return f.routes }

func serve(t *testing.T, handler http.HandlerFunc, routes ...httpapi.Route) *Gateway {
	t.Helper()
	g, err := New(slog.New(slog.DiscardHandler), function{handler, routes})
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
	}, httpapi.Route{Method: "GET", Path: "/x"})
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
	}, []httpapi.Route{{Method: "GET", Path: "/x"}}}
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
			g := serve(t, test.handler, httpapi.Route{Method: "POST", Path: "/x"})
			if name == "silence" {
				g.timeout = time.Millisecond // the function waits for the end of the test, so any value gives the same result
			}
			answer := send(g, httptest.NewRequest("POST", "/x", bytes.NewReader(make([]byte, test.body))))
			if answer.Code != test.status {
				t.Errorf("status %d, want %d", answer.Code, test.status)
			}
			if test.status != http.StatusOK && answer.Header().Get("X-Request-Id") == "" {
				t.Error("the refusal has no request id")
			}
			if test.status != http.StatusOK && answer.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("refused as %q", answer.Header().Get("Content-Type"))
			}
		})
	}
}

// The code of a refused form is the one with which functions refuse a picture that is too large for them.
func TestAFormThatIsTooLargeIsToldOfDirectUpload(t *testing.T) {
	t.Parallel()
	g := serve(t, echo, httpapi.Route{Method: "POST", Path: "/x"})
	for media, want := range map[string]string{"multipart/form-data; boundary=b": "use_direct_upload", "application/json": "request_too_large"} {
		r := httptest.NewRequest("POST", "/x", bytes.NewReader(make([]byte, MaxBytes+1)))
		r.Header.Set("Content-Type", media)
		if answer := send(g, r); !strings.Contains(answer.Body.String(), `"`+want+`"`) {
			t.Errorf("%s: %s, want code %s", media, answer.Body, want)
		}
	}
}

func TestRouting(t *testing.T) {
	t.Parallel()
	named := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(name)) }
	}
	g, err := New(slog.New(slog.DiscardHandler),
		function{named("fallback"), []httpapi.Route{{Method: "GET", Path: "/health"}}},
		function{named("reports"), []httpapi.Route{{Method: "GET", Path: "/reports/{id}"}, {Method: "POST", Path: "/reports"}}},
		function{named("journeys"), []httpapi.Route{{Method: "POST", Path: "/journeys/"}}})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/reports/1", 200, "reports"},
		{"POST", "/reports", 200, "reports"},
		{"POST", "/journeys/", 200, "journeys"},
		{"POST", "/journeys/below", 200, "fallback"},
		{"GET", "/nowhere", 200, "fallback"},
		{"DELETE", "/reports/1", 405, "method_not_allowed"},
		{"HEAD", "/reports/1", 404, ""},
	}
	for _, test := range tests {
		answer := send(g, httptest.NewRequest(test.method, test.path, nil))
		body := answer.Body.String()
		if answer.Code != test.status || !strings.Contains(body, test.body) {
			t.Errorf("%s %s: %d %s, want %d %s", test.method, test.path, answer.Code, body, test.status, test.body)
		}
	}
	preflight := httptest.NewRequest("OPTIONS", "/reports", nil)
	preflight.Header.Set("Access-Control-Request-Method", "POST")
	if answer := send(g, preflight); answer.Code != http.StatusOK {
		t.Errorf("preflight: %d", answer.Code)
	}
}

func TestRefusesClashingRoutes(t *testing.T) {
	t.Parallel()
	one := function{echo, []httpapi.Route{{Method: "GET", Path: "/same"}}}
	if _, err := New(slog.New(slog.DiscardHandler), one, one); err == nil || !strings.Contains(err.Error(), "/same") {
		t.Errorf("got %v", err)
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
			g := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr }, httpapi.Route{Method: "GET", Path: "/x"})
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
