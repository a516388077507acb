package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// routeKeys returns the route keys of the HTTP API in a stable order, and the function that each leads to. Two paths of
// one function that differ by a slash at the end share a key; two functions with the same key are an error.
func routeKeys(routes []catalog.Route) ([]string, map[string]catalog.FunctionName, error) {
	owner := make(map[string]catalog.FunctionName)
	for _, r := range routes {
		for _, method := range r.Methods {
			for _, path := range gatewayPaths(r.Path) {
				key := method + " " + path
				if other, ok := owner[key]; ok && other != r.Function {
					return nil, nil, fmt.Errorf("route %s belongs to %s and to %s", key, other, r.Function)
				}
				owner[key] = r.Function
			}
		}
	}
	keys := make([]string, 0, len(owner))
	for key := range owner {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys, owner, nil
}

// gatewayPaths are the paths of API Gateway that lead to path. An HTTP API accepts no route that ends in a slash, and
// does not document whether its route "/a" matches a request for "/a/". So a greedy route matches that too.
func gatewayPaths(path string) []string {
	bare := strings.TrimSuffix(path, "/")
	switch bare {
	case path:
		return []string{path}
	case "":
		return []string{"/"}
	default:
		return []string{bare, bare + "/{proxy+}"}
	}
}
