package openapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lafaekstreet/backend/infra/local/openapi"
)

// Each example of the document fits the schema beside it: of bodies, answers, parameters, headers and members.
func TestExamplesFitTheirSchema(t *testing.T) {
	t.Parallel()
	raw, err := openapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	e := &examples{TB: t, root: document.(map[string]any), compiler: jsonschema.NewCompiler()}
	e.compiler.AssertFormat()
	if err := e.compiler.AddResource("https://document/", document); err != nil {
		t.Fatal(err)
	}
	e.walk("", document)
	if e.seen < 500 {
		t.Errorf("%d examples were compared", e.seen)
	}
}

type examples struct {
	testing.TB
	root     map[string]any
	compiler *jsonschema.Compiler
	seen     int
}

// walk compares the examples below a JSON pointer. Examples are data and are not walked.
func (e *examples) walk(at string, value any) {
	switch v := value.(type) {
	case map[string]any:
		if v["schema"] != nil {
			e.beside(at, v)
		} else if list, is := v["examples"].([]any); is {
			for _, example := range list {
				e.compare(at, example)
			}
		}
		for name, member := range v {
			if name != "example" && (name != "examples" || strings.HasSuffix(at, "/properties")) {
				e.walk(at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), member)
			}
		}
	case []any:
		for i, element := range v {
			e.walk(fmt.Sprintf("%s/%d", at, i), element)
		}
	}
}

// beside compares the examples of a body, a parameter or a header, which has its schema beside them.
func (e *examples) beside(pointer string, o map[string]any) {
	if o["example"] != nil {
		e.compare(pointer+"/schema", o["example"])
	}
	named, _ := o["examples"].(map[string]any)
	for _, v := range named {
		example, _ := v.(map[string]any)
		if ref, _ := example["$ref"].(string); ref != "" {
			example = at(e.root, strings.Split(ref, "/")[1:]...)
		}
		e.compare(pointer+"/schema", example["value"])
	}
}

func (e *examples) compare(at string, example any) {
	e.seen++
	schema, err := e.compiler.Compile("https://document/#" + (&url.URL{Path: at}).EscapedPath())
	if err == nil {
		err = schema.Validate(example)
	}
	if err != nil {
		text, _ := json.Marshal(example)
		e.Errorf("%s: %s: %v", at, text, err)
	}
}
