package httpapi

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/problem"
)

// strict has the paths whose operations refuse query parameters that they do not know, and the kind of the error. A filter
// that is ignored would show staff another list than the one they asked for. Elsewhere unknown parameters are ignored.
func strict(path string) (problem.Kind, bool) {
	switch {
	case strings.HasPrefix(path, "/api/v1/staff/"), strings.HasPrefix(path, "/api/v1/admin/"):
		return problem.Invalid, true
	case ofOGC(path): // OGC API - Features, requirement /req/core/query-param-unknown
		return problem.BadRequest, true
	}
	return 0, false
}

// ofOGC reports whether a path belongs to OGC API - Features.
func ofOGC(path string) bool { return path == "/ogc" || strings.HasPrefix(path, "/ogc/") }

// asFaultOf returns the error of a request to a path. Invalid input is a 400 by OGC API - Features (requirement
// /req/core/query-param-invalid), and a 422 elsewhere.
func asFaultOf(path string, err error) error {
	var e *problem.Error
	if !ofOGC(path) || !errors.As(err, &e) || e.Kind != problem.Invalid {
		return err
	}
	c := *e
	c.Kind = problem.BadRequest
	return &c
}

// parametersOf returns the query parameters that an operation takes: those of its input with their aliases and, where the
// query stands for the body, the members of the body.
func parametersOf(registry huma.Registry, o Operation, op *huma.Operation) map[string]bool {
	out := make(map[string]bool)
	for _, p := range op.Parameters {
		if p.In == "query" {
			out[p.Name] = true
		}
	}
	if media := bodyMedia(op); o.Forms && media != nil {
		if s := resolved(registry, media.Schema); s != nil {
			for name := range s.Properties {
				out[name] = true
			}
		}
	}
	for from, to := range o.Aliases {
		if out[to] {
			out[from] = true
		}
	}
	return out
}

func bodyMedia(op *huma.Operation) *huma.MediaType {
	if op.RequestBody == nil {
		return nil
	}
	return op.RequestBody.Content[mediaJSON]
}

// unknownParameter is the message about a query parameter that the operation does not have.
const unknownParameter = "this route has no such query parameter"

// Bounds of what an error says about unknown parameters.
const (
	maxNamedParameters = 10
	maxParameterName   = 100 // bytes; a longer name is cut
)

// checkOnce refuses parameters of query that were sent more than once: the operation would take the first and ignore the
// others. The error names them, in alphabetical order. OGC API leaves it open, so its paths are not checked.
func checkOnce(kind problem.Kind, query url.Values) error {
	if kind != problem.Invalid {
		return nil
	}
	fault := problem.New(problem.Invalid, "invalid_input")
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if len(query[name]) > 1 {
			fault.Fields = append(fault.Fields, problem.Field{Name: name, Message: "sent more than once"})
		}
	}
	if fault.Fields == nil {
		return nil
	}
	return fault
}

// checkKnown refuses the parameters of query that are not known.
func checkKnown(kind problem.Kind, known map[string]bool, query url.Values) error {
	var unknown []string
	for name := range query {
		if !known[name] {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return UnknownParameters(kind, unknown...)
}

// UnknownParameters is the error for query parameters that an operation does not have. It names them, in alphabetical order.
func UnknownParameters(kind problem.Kind, unknown ...string) *problem.Error {
	slices.Sort(unknown)
	fault := problem.New(kind, "unknown_parameter")
	for _, name := range unknown[:min(len(unknown), maxNamedParameters)] {
		name = strings.ToValidUTF8(name[:min(len(name), maxParameterName)], "")
		fault.Fields = append(fault.Fields, problem.Field{Name: name, Message: unknownParameter})
	}
	return fault
}
