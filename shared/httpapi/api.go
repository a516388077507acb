// Package httpapi is the common part of all route groups. An Operation has the route,
// the checks and the OpenAPI description in one place. The package applies the rules of
// the contract to it: identity, limits, errors, caching, idempotency and languages.
package httpapi

import (
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Group is a route group: one Lambda in AWS, one of many handlers of a process
// on one machine.
type Group interface {
	// Name is the function's name, as in functions/<name>.
	Name() string
	// Register adds the group's operations. It must not use the group's
	// dependencies: the OpenAPI document is made from groups without any.
	Register(api *API)
}

// Deps is what the rules around the operations need.
type Deps struct {
	Tokens    *identity.Verifier
	Admission Admission        // looks up sessions and counts requests; nil: nothing is limited, and nobody can sign in
	Keys      *IdempotencyKeys // nil: Idempotency-Key is ignored
	Clock     timestamp.Clock
	Log       *slog.Logger
	Metrics   *telemetry.Metrics
	Config    Config
}

// Config is what an operator sets of the HTTP side.
type Config struct {
	// CORSOrigins may call from browsers; "*" allows any (without credentials).
	CORSOrigins []string `env:"CORS_ORIGINS" envDefault:"*"`
}

// API collects the operations of one or more groups, to serve them or to describe them.
type API struct {
	deps      Deps
	described huma.API // has the document; nil in an API that serves
	mux       *http.ServeMux
	mounted   map[string]bool // patterns of mux
	options   map[string]Operation
	routes    []Route // every path that mux serves
	forms     []prefixForm
	group     string
}

// New makes the HTTP handler of groups.
func New(deps Deps, groups ...Group) *Service {
	a := newAPI(deps)
	a.register(groups)
	return &Service{name: a.group, handler: a.around(a.mux), routes: a.routes,
		document: sync.OnceValue(func() *huma.OpenAPI { return Document(groups...) })}
}

// Document is the OpenAPI document of groups, which need no dependencies.
func Document(groups ...Group) *huma.OpenAPI {
	a := newAPI(Deps{})
	a.described = huma.NewAPI(humaConfig(), description{})
	a.register(groups)
	markNullable(a.described.OpenAPI().Components.Schemas)
	return a.documented()
}

func newAPI(deps Deps) *API {
	useProblemDocuments()
	return &API{deps: deps, mux: http.NewServeMux(), mounted: make(map[string]bool), options: make(map[string]Operation)}
}

func (a *API) register(groups []Group) {
	for _, g := range groups {
		a.group = g.Name()
		g.Register(a)
	}
}

var useProblemDocuments = sync.OnceFunc(func() {
	huma.NewErrorWithContext = documentOfHuma
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return documentOfHuma(nil, status, message, errs...)
	}
})

// mount serves a route. Nothing else adds to mux, so that Routes is complete. A path that differs from an earlier one by the slash
// at its end only is served already: it is in the document for the client that is made from it.
// With rest the last path parameter takes the rest of the path.
func (a *API) mount(r Route, rest bool, h http.Handler) {
	pattern := r.Method + " " + pattern(r.Path)
	if rest {
		pattern = strings.TrimSuffix(pattern, "}") + "...}"
		above, _ := path.Split(r.Path) // the mux would answer it with a redirect
		a.mux.HandleFunc(r.Method+" "+strings.TrimSuffix(above, "/"), func(w http.ResponseWriter, r *http.Request) {
			writeProblem(w, r, errNoRoute)
		})
	}
	if !a.mounted[pattern] {
		a.mux.Handle(pattern, h)
		a.mounted[pattern] = true
	}
	a.routes = append(a.routes, r)
}

// pattern is the path of an operation for the mux, which sees no path that ends in a slash.
func pattern(path string) string {
	if path == "/" {
		return "/{$}"
	}
	return strings.TrimSuffix(path, "/")
}
