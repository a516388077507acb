package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lafaekstreet/backend/infra/local/answers"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/openapi"
)

// document describes all operations, pages for people too. driven has the operations that have succeeded at least once,
// published the answers of the journey client's document: method, path and status.
type document struct {
	testing.TB
	paths     map[string]map[string]operation
	shared    map[string]json.RawMessage // responses that operations refer to
	compiler  *jsonschema.Compiler
	published map[string]bool

	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema
	driven  map[string]bool
}

type operation struct {
	OperationID string                     `json:"operationId"`
	Summary     string                     `json:"summary"`
	Function    string                     `json:"x-function"`
	Responses   map[string]json.RawMessage `json:"responses"`
}

func readDocument(t testing.TB) *document {
	t.Helper()
	raw, err := openapi.Whole()
	if err != nil {
		t.Fatal(err)
	}
	d := &document{TB: t, compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}, driven: map[string]bool{}, published: map[string]bool{}}
	var parsed struct {
		Paths      map[string]map[string]operation `json:"paths"`
		Components struct {
			Responses map[string]json.RawMessage `json:"responses"`
		} `json:"components"`
	}
	if err := json.Unmarshal(raw, &parsed); err != nil {
		t.Fatal(err)
	}
	d.paths, d.shared = parsed.Paths, parsed.Components.Responses
	resource, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource("https://document/openapi.json", resource); err != nil {
		t.Fatal(err)
	}
	d.readJourneyClient()
	return d
}

// readJourneyClient adds the document of the journey client. It is OpenAPI 3.0, whose nullable is the type null of JSON Schema.
func (d *document) readJourneyClient() {
	d.Helper()
	raw, err := os.ReadFile("../../../functions/meta/journey-client.json")
	if err != nil {
		d.Fatal(err)
	}
	raw = bytes.ReplaceAll(raw, []byte(`"type": "string", "nullable": true`), []byte(`"type": ["string", "null"]`))
	resource, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		d.Fatal(err)
	}
	if err := d.compiler.AddResource("https://document/journey-client.json", resource); err != nil {
		d.Fatal(err)
	}
	var parsed struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Content any `json:"content"`
			} `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(raw, &parsed); err != nil {
		d.Fatal(err)
	}
	for path, methods := range parsed.Paths {
		for method, op := range methods {
			for status, response := range op.Responses {
				if response.Content != nil {
					d.published[strings.ToUpper(method)+" "+path+status] = true
				}
			}
		}
	}
}

// find returns the operation of a request. If several paths match, it is the one with
// the most literal segments.
func (d *document) find(method, path string) (string, operation, bool) {
	best, literals := "", -1
	for template, methods := range d.paths {
		if _, ok := methods[strings.ToLower(method)]; !ok {
			continue
		}
		if n, fits := fit(template, path); fits && n > literals {
			best, literals = template, n
		}
	}
	return best, d.paths[best][strings.ToLower(method)], literals >= 0
}

func fit(template, path string) (int, bool) {
	literals := 0
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return 0, false
	}
	for i := range want {
		if strings.Contains(want[i], "{") {
			if got[i] == "" {
				return 0, false
			}
			continue
		}
		if want[i] != got[i] {
			return 0, false
		}
		literals++
	}
	return literals, true
}

// check compares a response with what the document says about its operation.
func (d *document) check(method, target string, res apiclient.Response) {
	d.Helper()
	u, err := url.Parse(target)
	if err != nil {
		d.Fatal(err)
	}
	template, op, ok := d.find(method, u.EscapedPath())
	if !ok {
		d.Errorf("%s %s answered %d and is not documented", method, u.Path, res.Status)
		return
	}
	name := method + " " + template
	if res.Status < 400 {
		d.mu.Lock()
		d.driven[name] = true
		d.mu.Unlock()
	}
	raw, documented := op.Responses[strconv.Itoa(res.Status)]
	if !documented {
		d.Errorf("%s answered %d, which is not documented: %.300s", name, res.Status, res.Body)
		return
	}
	own := fmt.Sprintf("/paths/%s/%s/responses/%d", url.PathEscape(token(template)), strings.ToLower(method), res.Status)
	at, response := own, d.response(raw)
	if name, shared := strings.CutPrefix(response.Ref, "#/components/responses/"); shared {
		at, response = "/components/responses/"+name, d.response(d.shared[name])
	}
	for _, header := range answers.Undescribed(res.Header, response.Headers) {
		d.Errorf("%s answered %d with the header %s, which is not documented", name, res.Status, header)
	}
	media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if len(res.Body) == 0 {
		return
	}
	documentedAs, known := "", false
	for key := range response.Content {
		if plain, _, err := mime.ParseMediaType(key); err == nil && plain == media {
			documentedAs, known = key, true
		}
	}
	content := response.Content[documentedAs]
	if !known {
		d.Errorf("%s answered %d with %s, which is not documented", name, res.Status, media)
		return
	}
	if content.Schema == nil || (media != "application/json" && !strings.HasSuffix(media, "+json")) {
		return
	}
	if err := d.validate("openapi.json", at, documentedAs, res.Body); err != nil {
		d.Errorf("%s answered %d against its schema: %v\n%.1500s", name, res.Status, err, res.Body)
	}
	if d.published[fmt.Sprint(name, res.Status)] {
		if err := d.validate("journey-client.json", own, documentedAs, res.Body); err != nil {
			d.Errorf("%s answered %d against the document of the journey client: %v\n%.1500s", name, res.Status, err, res.Body)
		}
	}
}

// response is a response of the document. Ref names a shared one, which has the rest.
type response struct {
	Ref     string                     `json:"$ref"`
	Headers map[string]json.RawMessage `json:"headers"`
	Content map[string]struct {
		Schema json.RawMessage `json:"schema"`
	} `json:"content"`
}

func (d *document) response(raw json.RawMessage) response {
	var r response
	if err := json.Unmarshal(raw, &r); err != nil {
		d.Fatal(err)
	}
	return r
}

func token(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1") }

// validate checks a body against the schema that the response at a JSON pointer has for a media type in a file.
func (d *document) validate(file, response, media string, body []byte) error {
	at := "https://document/" + file + "#" + response + "/content/" + url.PathEscape(token(media)) + "/schema"
	d.mu.Lock()
	defer d.mu.Unlock()
	schema, ok := d.schemas[at]
	if !ok {
		var err error
		if schema, err = d.compiler.Compile(at); err != nil {
			return err
		}
		d.schemas[at] = schema
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// finish fails the test for every operation that has never succeeded.
func (d *document) finish() {
	d.Helper()
	var missed []string
	for template, methods := range d.paths {
		for method := range methods {
			if name := strings.ToUpper(method) + " " + template; !d.driven[name] {
				missed = append(missed, name)
			}
		}
	}
	slices.Sort(missed)
	for _, name := range missed {
		d.Errorf("%s has never succeeded: call it in this test", name)
	}
}
