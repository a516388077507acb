package answers

import (
	"bytes"
	"compress/gzip"
	"io"
	"mime"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/gateway"
	"github.com/lafaekstreet/backend/shared/httpapi"
)

// Function is an HTTP function whose answers are compared with its document.
type Function struct {
	*httpapi.Service
	watched http.Handler
}

// Checked makes the test fail for every answer of service that service does not document.
func Checked(t testing.TB, service *httpapi.Service) *Function {
	document, err := served()
	if err != nil {
		t.Fatal(err)
	}
	return &Function{service, Watch(t, func() *Checker { return checkerOf(service, document) }, service)}
}

// Watched is Checked for system.Options.
func Watched(t testing.TB) func(*httpapi.Service) gateway.Function {
	return func(service *httpapi.Service) gateway.Function { return Checked(t, service) }
}

// ServeHTTP implements http.Handler.
func (f *Function) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.watched.ServeHTTP(w, r) }

// checkers has one checker for each function of a process, because a description takes time to make.
var checkers sync.Map

func checkerOf(service *httpapi.Service, document *Served) *Checker {
	made, ok := checkers.Load(service.Name())
	if !ok {
		made, _ = checkers.LoadOrStore(service.Name(), NewChecker(service.OpenAPI(), document))
	}
	return made.(*Checker)
}

// Watch makes the test fail for every answer of next that the document of the checker does not have.
func Watch(t testing.TB, checker func() *Checker, next http.Handler) http.Handler {
	var ended atomic.Bool
	t.Cleanup(func() { ended.Store(true) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method, path := r.Method, r.URL.EscapedPath()
		seen := &seenWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		if ended.Load() {
			return
		}
		a := Answer{Status: seen.status, Header: w.Header(), Body: seen.plain()}
		operation, code, faults := checker().Check(method, path, a)
		for _, fault := range faults {
			t.Error(fault)
		}
		if code != "" {
			record(t, operation, a.Status, code)
		}
	})
}

// mostSeen bounds the bodies that are compared with their schema, in bytes as they are sent.
const mostSeen = 4 << 20

// seenWriter notes the status of an answer, and its body where that is JSON of at most mostSeen.
type seenWriter struct {
	http.ResponseWriter
	status  int
	written bool
	body    bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (w *seenWriter) WriteHeader(status int) {
	if !w.written && status >= http.StatusOK {
		w.status, w.written = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *seenWriter) Write(b []byte) (int, error) {
	w.written = true
	media, _, _ := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if isJSON(media) && w.body.Len() <= mostSeen {
		w.body.Write(b)
	}
	return w.ResponseWriter.Write(b)
}

// plain is the body, unpacked. It is empty where it is not whole.
func (w *seenWriter) plain() []byte {
	if w.body.Len() > mostSeen {
		return nil
	}
	if w.Header().Get("Content-Encoding") != "gzip" {
		return w.body.Bytes()
	}
	r, err := gzip.NewReader(&w.body)
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(r)
	if err != nil {
		return nil
	}
	return out
}

// Unwrap serves http.ResponseController.
func (w *seenWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
