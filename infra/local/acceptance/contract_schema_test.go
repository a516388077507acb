package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/openapi"
)

// document describes all operations, pages for people too. driven has the operations that have succeeded at least once.
type document struct {
	testing.TB
	paths    map[string]map[string]operation
	compiler *jsonschema.Compiler

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
	d := &document{TB: t, compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}, driven: map[string]bool{}}
	var parsed struct {
		Paths map[string]map[string]operation `json:"paths"`
	}
	if err := json.Unmarshal(raw, &parsed); err != nil {
		t.Fatal(err)
	}
	d.paths = parsed.Paths
	resource, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource("https://document/openapi.json", resource); err != nil {
		t.Fatal(err)
	}
	return d
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
	var response struct {
		Content map[string]struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"content"`
	}
	if err := json.Unmarshal(raw, &response); err != nil {
		d.Fatal(err)
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
	if err := d.validate(template, method, res.Status, documentedAs, res.Body); err != nil {
		d.Errorf("%s answered %d against its schema: %v\n%.1500s", name, res.Status, err, res.Body)
	}
}

func (d *document) validate(template, method string, status int, media string, body []byte) error {
	token := func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1") }
	at := fmt.Sprintf("https://document/openapi.json#/paths/%s/%s/responses/%d/content/%s/schema",
		url.PathEscape(token(template)), strings.ToLower(method), status, url.PathEscape(token(media)))
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
