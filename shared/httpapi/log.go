package httpapi

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/lafaekstreet/backend/shared/problem"
)

// logged writes one line a request: the route's pattern, never its parameters,
// which may hold tokens and places.
func (a *API) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := a.mux.Handler(r)
		began := time.Now()
		seen := &countedWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		a.deps.Log.InfoContext(r.Context(), "request", "method", r.Method, "route", pattern,
			"status", seen.status, "bytes", seen.bytes, "ms", time.Since(began).Milliseconds())
	})
}

// countedWriter remembers what was answered.
type countedWriter struct {
	http.ResponseWriter
	status  int
	bytes   int64
	written bool
}

// WriteHeader implements http.ResponseWriter.
func (w *countedWriter) WriteHeader(status int) {
	if !w.written && status >= http.StatusOK {
		w.status, w.written = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *countedWriter) Write(b []byte) (int, error) {
	w.written = true
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher.
func (w *countedWriter) Flush() {
	_ = http.NewResponseController(w.ResponseWriter).Flush() // a writer that cannot flush sends at the end
}

// Unwrap serves http.ResponseController.
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// recovered turns a panic into a 500 that says nothing.
func (a *API) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			a.deps.Log.ErrorContext(r.Context(), "handler panicked", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			a.refuse(w, r, problem.New(problem.Internal, "internal"))
		}()
		next.ServeHTTP(w, r)
	})
}
