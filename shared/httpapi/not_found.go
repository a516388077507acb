package httpapi

import (
	"net/http"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

// known answers a request that no operation takes: OPTIONS with the methods of the path, another method with 405 and the same
// list, an unknown path with 404.
func known(mux *http.ServeMux, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			next.ServeHTTP(w, r)
			return
		}
		var probe muxProbe
		mux.ServeHTTP(&probe, r)
		e := problem.New(problem.NotFound, "not_found")
		if probe.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", probe.Header().Get("Allow")+", OPTIONS")
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			e = problem.New(http.StatusMethodNotAllowed, "method_not_allowed")
		}
		problem.DocumentOf(e, locale.FromContext(r.Context()), telemetry.RequestID(r.Context())).Write(w)
	})
}

// muxProbe keeps the status and header that the mux answers and drops the body.
type muxProbe struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (p *muxProbe) Header() http.Header {
	if p.header == nil {
		p.header = make(http.Header)
	}
	return p.header
}

// WriteHeader implements http.ResponseWriter.
func (p *muxProbe) WriteHeader(status int) {
	if p.status == 0 {
		p.status = status
	}
}

// Write implements http.ResponseWriter.
func (p *muxProbe) Write(b []byte) (int, error) { return len(b), nil }
