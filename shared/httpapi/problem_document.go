package httpapi

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
)

// Extensions of an operation.
const (
	ProblemCodes     = "x-problem-codes"      // its problem codes, by status
	ItemProblemCodes = "x-item-problem-codes" // the codes of single items in its answer
)

const (
	mediaProblem  = "application/problem+json"
	exampleRetry  = 12 * time.Second
	exampleOrigin = "https://api.example.tl"
)

// problemDocument adds the problems of operations to a document. Schemas, responses and examples that operations share are
// components.
type problemDocument struct {
	*huma.OpenAPI
	problem    *huma.Schema               // the schema Problem, which every problem fits
	members    map[string]*huma.Schema    // further members of problems
	having     map[string]map[string]bool // codes of problems by member
	deprecated bool                       // an operation is
}

func newProblemDocument(document *huma.OpenAPI) *problemDocument {
	c := document.Components
	c.Responses, c.Examples, c.Headers = make(map[string]*huma.Response), make(map[string]*huma.Example), headers()
	c.Schemas.Schema(reflect.TypeFor[problem.Document](), true, "")
	return &problemDocument{OpenAPI: document, problem: c.Schemas.Map()["Problem"], members: make(map[string]*huma.Schema),
		having: make(map[string]map[string]bool)}
}

// describe describes the problems of one operation.
func (d *problemDocument) describe(o *Operation, op *huma.Operation) {
	delete(op.Responses, "default")
	o.describeHeaders(op)
	d.deprecated = d.deprecated || o.Deprecation != nil
	for _, status := range o.PageStatuses {
		page := op.Responses["200"]
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status), Headers: page.Headers, Content: page.Content}
	}
	codes := make(map[string][]string)
	for status, all := range o.problemsByStatus(d.Components.Schemas, op) {
		key := strconv.Itoa(status)
		if op.Responses[key] != nil { // the operation says itself what it answers
			continue
		}
		codes[key] = codesOf(all)
		op.Responses[key] = d.response(o, status, all)
	}
	if op.Extensions == nil {
		op.Extensions = make(map[string]any)
	}
	op.Extensions[ProblemCodes] = codes
	if len(o.ItemProblems) > 0 {
		op.Extensions[ItemProblemCodes] = slices.Sorted(slices.Values(codesOf(o.ItemProblems)))
	}
}

// response refers to the response of a set of problems with one status.
func (d *problemDocument) response(o *Operation, status int, all []*problem.Error) *huma.Response {
	codes := codesOf(all)
	set := problemSetName(o, status, codes)
	name := set + strconv.Itoa(status)
	for _, e := range all {
		d.addMembers(e)
	}
	if d.Components.Responses[name] == nil {
		media := &huma.MediaType{Schema: d.schema(set+"Problem", codes), Examples: make(map[string]*huma.Example)}
		for _, e := range all {
			example := d.example(e)
			media.Examples[e.Code] = &huma.Example{Ref: "#/components/examples/" + example}
		}
		d.Components.Responses[name] = &huma.Response{
			Description: http.StatusText(status) + ": `" + strings.Join(codes, "`, `") + "`",
			Headers:     problemHeaders(status, all),
			Content:     map[string]*huma.MediaType{mediaProblem: media},
		}
	}
	return &huma.Response{Ref: "#/components/responses/" + name}
}

// schema refers to the schema of problems with one of codes.
func (d *problemDocument) schema(name string, codes []string) *huma.Schema {
	words := make([]any, len(codes))
	for i, code := range codes {
		words[i] = code
	}
	d.Components.Schemas.Map()[name] = &huma.Schema{AllOf: []*huma.Schema{
		{Ref: "#/components/schemas/Problem"},
		{Type: huma.TypeObject, Required: []string{"code"}, Properties: map[string]*huma.Schema{"code": {Type: huma.TypeString, Enum: words}}},
	}}
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}

// addMembers describes the further members of a problem in the schema Problem. Their types are those of the values in e.
func (d *problemDocument) addMembers(e *problem.Error) {
	for name, value := range e.Extra {
		if d.members[name] == nil {
			t := reflect.TypeOf(value)
			d.members[name] = d.Components.Schemas.Schema(t, true, name)
			if t.Kind() == reflect.Pointer {
				d.members[name] = nullable(d.members[name])
			}
			d.having[name] = make(map[string]bool)
		}
		d.having[name][e.Code] = true
	}
}

// example makes the example of a problem and returns its name. A problem that one operation answers with a member and another
// without has the example with the member.
func (d *problemDocument) example(e *problem.Error) string {
	name := e.Code + "_" + strconv.Itoa(int(e.Kind))
	known := d.Components.Examples[name]
	body := exampleOf(e)
	text, _ := locale.Text(locale.English, "problem."+e.Code, exampleParams(e.Params))
	if known == nil || len(known.Value.(json.RawMessage)) < len(body) {
		d.Components.Examples[name] = &huma.Example{Summary: text, Value: body}
	}
	return name
}

// exampleOf is the problem document of e as a client reads it.
func exampleOf(e *problem.Error) json.RawMessage {
	c := *e
	c.Params = exampleParams(e.Params)
	if e.Code == "invalid_input" && e.Fields == nil {
		c.Fields = []problem.Field{{Name: "title", Message: "expected string"}}
	}
	if e.Code == "unknown_parameter" {
		c.Fields = []problem.Field{{Name: "stauts", Message: unknownParameter}}
	}
	doc := problem.DocumentOf(&c, locale.English, "01JDX0M2Q7T4", exampleOrigin)
	body, _ := json.Marshal(doc) // values that were made here can be written
	return body
}

// exampleParams are the parameters of a text in an example.
func exampleParams(given map[string]string) map[string]string {
	out := map[string]string{"seconds": "12", "limit": "1000", "max": "5", "meters": "500", "status": "fixed", "from": "fixed", "to": "verified",
		"place": "line 7"}
	maps.Copy(out, given)
	return out
}

// finish describes the further members where all problems are described.
func (d *problemDocument) finish() {
	if !d.deprecated {
		for _, name := range deprecationHeaders {
			delete(d.Components.Headers, name)
		}
	}
	for name, schema := range d.members {
		codes := slices.Sorted(maps.Keys(d.having[name]))
		s := *schema
		s.Description = strings.TrimSpace(cmp.Or(memberText[name], s.Description) + " With the code " + strings.Join(codes, ", ") + ".")
		d.problem.Properties[name] = &s
	}
}

// memberText says what the further members of problems mean.
var memberText = map[string]string{
	"allowed":       "The statuses to which the caller may move the report now.",
	"attempts_left": "How many more wrong codes are accepted before this one is void.",
	"duplicate_of":  "The report to look at instead: its id, null where the caller may not see it.",
	"image_status":  "The state of the picture.",
	"place":         "Where the first fault of the file is: the line of a GPX file, the member of a GeoJSON file.",
	"report_id":     "The report that the client_id belongs to.",
	"tombstone":     "What everybody may know of the report that was taken down.",
	"user_id":       "The person who has the account already.",
	"version":       "The present version. It is the number in the ETag.",
}
