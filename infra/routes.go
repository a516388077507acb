package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// route is one operation of the OpenAPI document.
type route struct {
	Method   string
	Path     string
	Function string
}

// readRoutes lists the operations of the OpenAPI document at path, in a stable
// order. Each names its function as x-function.
func readRoutes(path string) ([]route, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	var out []route
	for path, item := range doc.Paths {
		for method, raw := range item {
			method = strings.ToUpper(method)
			if !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, method) {
				continue
			}
			var op struct {
				Function string `json:"x-function"`
			}
			if err := json.Unmarshal(raw, &op); err != nil || op.Function == "" {
				return nil, fmt.Errorf("OpenAPI document: %s %s names no x-function", method, path)
			}
			out = append(out, route{method, path, op.Function})
		}
	}
	slices.SortFunc(out, func(a, b route) int { return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method) })
	if len(out) == 0 {
		return nil, fmt.Errorf("OpenAPI document: no operations")
	}
	return out, nil
}

// keys are the routes of an HTTP API that lead to r. Such an API takes no route
// that ends in a slash; whether it finds "/a/" under "/a" is not documented, so a
// greedy route below catches it too.
func (r route) keys() []string {
	bare := strings.TrimSuffix(r.Path, "/")
	if bare == r.Path {
		return []string{r.Method + " " + r.Path}
	}
	if bare == "" {
		return []string{r.Method + " /"}
	}
	return []string{r.Method + " " + bare, r.Method + " " + bare + "/{proxy+}"}
}

// routeKeys are the routes of the API by key, with the function each leads to.
// Two operations that differ by a slash at the end share one.
func routeKeys(routes []route) ([]string, map[string]string, error) {
	owner := make(map[string]string)
	var keys []string
	for _, r := range routes {
		for _, k := range r.keys() {
			had, ok := owner[k]
			if ok && had != r.Function {
				return nil, nil, fmt.Errorf("route %s belongs to %s and to %s", k, had, r.Function)
			}
			if !ok {
				owner[k] = r.Function
				keys = append(keys, k)
			}
		}
	}
	slices.Sort(keys)
	return keys, owner, nil
}
