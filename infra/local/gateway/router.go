package gateway

import (
	"fmt"
	"regexp"
	"strings"
)

// Default is the key of the route that is used when no other one matches.
const Default = "$default"

// Router chooses the route of a request as an HTTP API of API Gateway does ("Create routes for HTTP APIs" in its
// documentation): a route that matches the whole path before one with a greedy variable, and $default last.
type Router struct{ routes []route }

type route struct {
	key, method string
	segments    []string
}

// NewRouter makes a router of route keys. It returns an error for a key that AWS refuses, and for two keys that match the same
// requests.
func NewRouter(keys []string) (*Router, error) {
	router := &Router{}
	seen := make(map[string]bool)
	for _, key := range keys {
		shape := variable.ReplaceAllString(key, "{$1}")
		if seen[shape] {
			return nil, fmt.Errorf("route %s: another route matches the same requests", key)
		}
		seen[shape] = true
		if key == Default {
			router.routes = append(router.routes, route{key: key})
			continue
		}
		if !acceptable.MatchString(key) {
			return nil, fmt.Errorf("route %s: API Gateway accepts no such route", key)
		}
		method, path, _ := strings.Cut(key, " ")
		router.routes = append(router.routes, route{key, method, segmentsOf(path)})
	}
	return router, nil
}

var (
	// acceptable is a method and a path. The path has no slash at its end. A variable is a whole segment, a greedy one the last.
	acceptable = regexp.MustCompile(`^(ANY|GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE) (/|(/([\w.~-]+|{\w+}))*(/[\w.~-]+|/{\w+}|/{\w+\+}))$`)
	variable   = regexp.MustCompile(`{\w+(\+?)}`)
)

// Find returns the key of the most specific route for a request and the values of its variables. It reports false when no route
// matches.
func (r *Router) Find(method, path string) (string, map[string]string, bool) {
	segments := segmentsOf(path)
	key, best := "", ""
	var variables map[string]string
	for _, candidate := range r.routes {
		if rating, found := candidate.match(method, segments); rating > best {
			key, best, variables = candidate.key, rating, found
		}
	}
	return key, variables, best != ""
}

// match returns how specific a route is for a request, as a text that compares greater for a more specific route, and the values
// of its variables. The text is empty when the route does not match. It has a digit for the kind of the match, one for each
// segment (3 for a literal one, 2 for a variable, 1 for a greedy variable) and one for the method.
func (r route) match(method string, segments []string) (string, map[string]string) {
	if r.key == Default {
		return "1", nil
	}
	exact := "2"
	if r.method == "ANY" {
		exact = "1"
	} else if r.method != method {
		return "", nil
	}
	variables := make(map[string]string)
	var rating strings.Builder
	for i, part := range r.segments {
		name, isVariable := strings.CutPrefix(strings.TrimSuffix(part, "}"), "{")
		greedy := strings.HasSuffix(name, "+")
		switch {
		case i >= len(segments):
			return "", nil
		case isVariable && greedy:
			variables[strings.TrimSuffix(name, "+")] = strings.Join(segments[i:], "/")
			return "2" + rating.String() + "1" + exact, variables
		case isVariable && segments[i] != "":
			variables[name] = segments[i]
			rating.WriteByte('2')
		case part == segments[i]:
			rating.WriteByte('3')
		default:
			return "", nil
		}
	}
	if len(r.segments) != len(segments) {
		return "", nil
	}
	return "3" + rating.String() + exact, variables
}

func segmentsOf(path string) []string { return strings.Split(strings.TrimPrefix(path, "/"), "/") }
