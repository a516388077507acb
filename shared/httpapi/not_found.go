package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

// known answers a request that no operation takes: OPTIONS with the methods of the path, another method with 405 and the same
// list, an unknown path with 404. Fixed has the methods of paths without a variable: such a path never counts as a value of
// the variable in another path.
func known(mux *http.ServeMux, fixed map[string][]string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if methods, ok := fixed[r.URL.Path]; ok && !slices.Contains(methods, r.Method) {
			notAllowed(w, r, strings.Join(methods, ", "))
			return
		}
		if _, pattern := mux.Handler(r); pattern != "" {
			next.ServeHTTP(w, r)
			return
		}
		var probe muxProbe
		mux.ServeHTTP(&probe, r)
		if probe.status == http.StatusMethodNotAllowed {
			notAllowed(w, r, probe.Header().Get("Allow"))
			return
		}
		writeProblem(w, r, errNoRoute)
	})
}

// notAllowed answers a method that the path does not have: OPTIONS with the methods, any other with 405 and the same list.
func notAllowed(w http.ResponseWriter, r *http.Request, methods string) {
	w.Header().Set("Allow", methods+", OPTIONS")
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	writeProblem(w, r, errMethod)
}

func writeProblem(w http.ResponseWriter, r *http.Request, e *problem.Error) {
	problem.DocumentOf(e, locale.FromContext(r.Context()), telemetry.RequestID(r.Context()), Origin(r.Context())).Write(w)
}

// fixedPaths has the methods of each path of routes that has no variable, in alphabetical order.
func fixedPaths(routes []Route) map[string][]string {
	out := make(map[string][]string)
	for _, r := range routes {
		path := "/" + strings.Trim(r.Path, "/")
		if strings.Contains(path, "{") {
			continue
		}
		out[path] = append(out[path], r.Method)
		if r.Method == http.MethodGet {
			out[path] = append(out[path], http.MethodHead)
		}
	}
	for path, methods := range out {
		slices.Sort(methods)
		out[path] = slices.Compact(methods)
	}
	return out
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
