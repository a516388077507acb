package httpapi

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/felixge/httpsnoop"

	"github.com/lafaekstreet/backend/shared/problem"
)

// logged writes one line a request: the route's pattern, never its parameters,
// which may hold tokens and places.
func (a *API) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := a.mux.Handler(r)
		m := httpsnoop.CaptureMetrics(next, w, r)
		a.deps.Log.InfoContext(r.Context(), "request", "method", r.Method, "route", pattern,
			"status", m.Code, "bytes", m.Written, "ms", m.Duration.Milliseconds())
	})
}

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
