package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Service is the finished HTTP side of a function.
type Service struct {
	name    string // of the last group
	handler http.Handler
	// document makes the description when it is asked for: requests do not need it.
	document func() *huma.OpenAPI
	routes   []Route
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Name is the name of the function.
func (s *Service) Name() string { return s.name }

// OpenAPI describes the operations.
func (s *Service) OpenAPI() *huma.OpenAPI { return s.document() }

// Route is one address a gateway sends to this function.
type Route struct {
	Method string
	Path   string // with {name} for path parameters
}

// Routes lists every route that the service answers, also one that the OpenAPI document does not describe, in a stable
// order.
func (s *Service) Routes() []Route {
	return slices.SortedFunc(slices.Values(s.routes), func(a, b Route) int {
		return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
	})
}

// RoutesOf lists the routes of groups, which need no dependencies, in a stable order.
func RoutesOf(groups ...Group) []Route { return New(Deps{}, groups...).Routes() }
