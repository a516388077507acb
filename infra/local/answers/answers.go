// Package answers compares what functions answer in tests with what they document. So an error code that the document does not
// have makes the test red that gets it.
package answers

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
)

const mediaProblem = "application/problem+json"

// Answer is a response as a client gets it.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // of JSON; else it may be empty
}

// Problem reports whether the answer is a problem document.
func (a Answer) Problem() bool {
	return strings.HasPrefix(a.Header.Get("Content-Type"), mediaProblem)
}

// Checker compares answers with a document.
type Checker struct {
	document *huma.OpenAPI
	served   *Served // of bodies; nil for none
}

// NewChecker makes a checker of what a function describes. It compares bodies with served, unless that is nil.
func NewChecker(document *huma.OpenAPI, served *Served) *Checker { return &Checker{document, served} }

// outside reports whether a status is none of an operation: the method has none, or the client does not read the answer.
func outside(status int) bool { return status == http.StatusMethodNotAllowed || status == 499 }

// Check returns the operation of a request, as "GET /path/{id}", the code of a problem document, and what in the answer is not
// documented. The operation is empty where the document has none for the request; then there is nothing to compare with.
func (c *Checker) Check(method, path string, a Answer) (string, string, []string) {
	template, op := c.operation(method, path)
	if op == nil || outside(a.Status) {
		return "", "", nil
	}
	name := op.Method + " " + template
	response := c.response(op, a.Status)
	if response == nil {
		return name, "", []string{fmt.Sprintf("%s answered %d, which is not documented", name, a.Status)}
	}
	var (
		code   string
		faults []string
	)
	if a.Problem() {
		code, faults = c.problem(op, response, a)
	}
	if c.served != nil {
		if fault := c.served.Check(template, op.Method, a); fault != "" {
			faults = append(faults, fault)
		}
	}
	for _, header := range Undescribed(a.Header, response.Headers) {
		faults = append(faults, fmt.Sprintf("%d has the header %s, which is not documented", a.Status, header))
	}
	for i := range faults {
		faults[i] = name + ": " + faults[i]
	}
	return name, code, faults
}

// problem returns the code of a problem document and what in it is not documented.
func (c *Checker) problem(op *huma.Operation, response *huma.Response, a Answer) (string, []string) {
	var members map[string]any
	if err := json.Unmarshal(a.Body, &members); err != nil {
		return "", []string{fmt.Sprintf("%d is no problem document: %v: %.300s", a.Status, err, a.Body)}
	}
	code, _ := members["code"].(string)
	codes, _ := op.Extensions[httpapi.ProblemCodes].(map[string][]string)
	if !slices.Contains(codes[strconv.Itoa(a.Status)], code) {
		return code, []string{fmt.Sprintf("%d with the code %s is not documented: declare it with WithProblems", a.Status, code)}
	}
	var faults []string
	described := c.document.Components.Schemas.Map()["Problem"].Properties
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if described[name] == nil {
			faults = append(faults, fmt.Sprintf("%d %s has the member %s, which is not documented: declare the problem with it", a.Status, code, name))
		}
	}
	return code, faults
}

// transport are headers of every HTTP answer, of caches and of browsers' rules: an app does not read them, or a library does.
var transport = []string{"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Cache-Control", "Content-Encoding", "Content-Length",
	"Content-Security-Policy", "Content-Type", "Date", "Referrer-Policy", "Strict-Transport-Security", "Vary", "X-Content-Type-Options"}

// Undescribed are the headers of an answer that its description does not have.
func Undescribed[V any](sent http.Header, described map[string]V) []string {
	var out []string
	for name := range sent {
		same := func(d string) bool { return strings.EqualFold(d, name) }
		if !slices.Contains(transport, name) && !slices.ContainsFunc(slices.Collect(maps.Keys(described)), same) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// response is the description of a status, resolved; nil for none.
func (c *Checker) response(op *huma.Operation, status int) *huma.Response {
	r := op.Responses[strconv.Itoa(status)]
	if r != nil && r.Ref != "" {
		return c.document.Components.Responses[strings.TrimPrefix(r.Ref, "#/components/responses/")]
	}
	return r
}

// operation is the operation of a request: of several whose path fits, the one with the most literal parts. Where two differ by a
// slash at the end alone, it is the one that the request names.
func (c *Checker) operation(method, path string) (string, *huma.Operation) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var (
		best  *huma.Operation
		found string
	)
	most := -1
	for template, item := range c.document.Paths {
		op := httpapi.Operations(item)[method]
		if op == nil {
			continue
		}
		literals, fits := fit(template, path)
		named := literals == most && strings.HasSuffix(template, "/") == strings.HasSuffix(path, "/")
		if fits && (literals > most || named) {
			best, found, most = op, template, literals
		}
	}
	return found, best
}

// fit reports whether a path has the form of a template, and how many of its parts are literal. A slash at the end does not count.
func fit(template, path string) (int, bool) {
	want, got := strings.Split(strings.Trim(template, "/"), "/"), strings.Split(strings.Trim(path, "/"), "/")
	if len(want) != len(got) {
		return 0, false
	}
	literals := 0
	for i := range want {
		variable := strings.HasPrefix(want[i], "{")
		if !variable && want[i] != got[i] || variable && got[i] == "" {
			return 0, false
		}
		if !variable {
			literals++
		}
	}
	return literals, true
}
