package meta_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/infra/local/dbproxy"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func TestHealthNeedsNoDatabase(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Env["DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/none"
	w.Serve(meta.Open)
	got := w.Anonymous().Get("//health").Want(http.StatusOK).Object()
	if got.Text("status") != "healthy" || got.Text("version") == "" || !strings.HasSuffix(got.Text("time"), "Z") {
		t.Errorf("got %v", got.Values)
	}
	if ready := w.Anonymous().Get("//health/ready").Want(http.StatusServiceUnavailable).Object(); ready.Text("checks.database") != "down" {
		t.Errorf("got %v", ready.Values)
	}
	if down := w.Anonymous().Get("/mongodb").Want(http.StatusServiceUnavailable); down.Code() != "unavailable" || down.Header.Get("Retry-After") == "" {
		t.Errorf("got %s %v", down.Body, down.Header)
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Env["CACHE_URL"] = "redis://127.0.0.1:1"
	w.Serve(meta.Open)
	got := w.Anonymous().Get("//health/ready").Want(http.StatusOK).Object()
	if got.Text("status") != "degraded" || got.Text("checks.database") != "ok" || got.Text("checks.queues") != "none" || got.Text("checks.cache") != "down" {
		t.Errorf("got %v", got.Values)
	}
}

// A cache without TLS is as ready as any.
func TestReadyWithAPlainCache(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Env["CACHE_URL"] = "redis://" + miniredis.RunT(t).Addr()
	w.Serve(meta.Open)
	if got := w.Anonymous().Get("//health/ready").Want(http.StatusOK).Object(); got.Text("status") != "ready" || got.Text("checks.cache") != "ok" {
		t.Errorf("got %v", got.Values)
	}
}

// 60 requests a minute for a network address. Those at the same time share one statement.
func TestReadyIsLimited(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	proxy, err := dbproxy.Start(t.Context(), w.Env["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	w.Env["DATABASE_URL"] = proxy.URL()
	clock := timestamp.NewManual(time.Now())
	w.Serve(func(ctx context.Context, env config.Env) (*httpapi.Service, error) {
		return service.OpenGroup(ctx, "meta", env, meta.New, service.WithClock(clock))
	})
	var answered, refused atomic.Int64
	var wg sync.WaitGroup
	for range 70 {
		wg.Go(func() {
			switch w.Anonymous().Get("//health/ready").Status {
			case http.StatusOK:
				answered.Add(1)
			case http.StatusTooManyRequests:
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	if answered.Load() != 60 || refused.Load() != 10 {
		t.Errorf("%d answered and %d refused, want 60 and 10", answered.Load(), refused.Load())
	}
	if n := len(proxy.Take()); n != 1 {
		t.Errorf("%d round trips to the database, want 1", n)
	}
	clock.Advance(time.Second)
	w.Anonymous().Get("//health/ready").Want(http.StatusOK)
	if n := len(proxy.Take()); n != 1 {
		t.Errorf("%d round trips a second later, want 1", n)
	}
	w.Anonymous().Get("//health").Want(http.StatusOK)
}

func TestPingAndVocabulary(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, meta.Open)
	if got := w.Anonymous().Get("/").Want(http.StatusOK); strings.TrimSpace(string(got.Body)) != `"pong"` {
		t.Errorf("ping: %s", got.Body)
	}
	for _, path := range []string{"/mongodb", "/mongodb/"} {
		if got := w.Anonymous().Get(path).Want(http.StatusOK); strings.TrimSpace(string(got.Body)) != `"Pong"` {
			t.Errorf("%s: %s", path, got.Body)
		}
	}
	w.Anonymous().Get("/nothing-here").Want(http.StatusNotFound)
	words := w.Anonymous().Get("/meta").Want(http.StatusOK).Object()
	for _, list := range []string{"issue_types", "severities", "statuses"} {
		for _, word := range words.Items(list) {
			for _, l := range []string{"en", "pt", "tet"} {
				if word.Text("labels."+l) == "" {
					t.Errorf("%s %s has no label in %s", list, word.Text("value"), l)
				}
			}
		}
	}
}

func TestDocumentationIsServedByTheFunction(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, meta.Open)
	for path, contentType := range map[string]string{
		"//docs": "text/html", "//docs/swagger-ui-bundle.js": "text/javascript", "//docs/swagger-ui.css": "text/css",
		"//docs/docs.js": "text/javascript", "//docs/guides": "text/html", "//docs/guides/log": "text/html", "//docs/guides/log.md": "text/markdown",
		"//docs/guide.css": "text/css", "//redoc": "text/html", "//redoc/redoc.standalone.js": "text/javascript",
		"//openapi.json": "application/json", "//openapi-3.0.json": "application/json", "/openapi.json": "application/json", "//docs/favicon-32x32.png": "image/png",
	} {
		got := w.Anonymous().Get(path).Want(http.StatusOK)
		if !strings.HasPrefix(got.Header.Get("Content-Type"), contentType) || len(got.Body) < 100 {
			t.Errorf("%s: %s, %d bytes", path, got.Header.Get("Content-Type"), len(got.Body))
		}
		if tag := got.Header.Get("ETag"); tag == "" || w.Anonymous().With("If-None-Match", tag).Get(path).Status != http.StatusNotModified {
			t.Errorf("%s: no revalidation by %q", path, tag)
		}
		if policy := got.Header.Get("Content-Security-Policy"); contentType == "text/html" && (!strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") && !strings.Contains(policy, "script-src 'self';")) {
			t.Errorf("%s: policy %q", path, policy)
		}
		if bytes.Contains(got.Body, []byte(`src="http`)) {
			t.Errorf("%s loads from elsewhere", path)
		}
	}
	w.Anonymous().Get("//docs/passwd").Want(http.StatusNotFound)
	w.Anonymous().Get("//docs/swagger-ui.css.gz").Want(http.StatusNotFound)
	packed := w.Anonymous().With("Accept-Encoding", "gzip").Get("//openapi.json")
	r, err := gzip.NewReader(bytes.NewReader(packed.Body))
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := io.ReadAll(r); err != nil || len(raw) < 4*len(packed.Body) {
		t.Errorf("gzip: %v, %d of %d bytes", err, len(packed.Body), len(raw))
	}
}

// The document names the host that a client read it from, so that a program made from it finds the server.
func TestDocumentNamesItsHost(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, meta.Open)
	for host, want := range map[string]string{"": w.URL, "api.example.tl": "http://api.example.tl", "other.example.tl:8080": "http://other.example.tl:8080"} {
		for path, least := range map[string]int{"//openapi.json": 100, "//openapi-3.0.json": 100, "/openapi.json": 18} {
			c := w.Anonymous()
			if host != "" {
				c = c.With("Host", host)
			}
			var doc struct {
				Servers []struct {
					URL string `json:"url"`
				} `json:"servers"`
				Paths map[string]any `json:"paths"`
			}
			if err := c.Get(path).Want(http.StatusOK).Decode(&doc); err != nil {
				t.Fatal(err)
			}
			if len(doc.Servers) != 1 || doc.Servers[0].URL != want || len(doc.Paths) < least {
				t.Errorf("%s of %q: %v, %d paths", path, host, doc.Servers, len(doc.Paths))
			}
		}
	}
	anybody := w.Anonymous()
	tag := anybody.Get("//openapi.json").Header.Get("ETag")
	if got := anybody.With("Host", "other.example.tl").With("If-None-Match", tag).Get("//openapi.json"); got.Status != http.StatusOK {
		t.Errorf("another host's ETag answers %d", got.Status)
	}
}
