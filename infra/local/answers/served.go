package answers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// servedPath is the document that clients get, from the folder of go.mod.
const servedPath = "functions/meta/openapi.json"

// Served compares bodies with the schemas of a document. A schema is compiled when the first body needs it.
type Served struct {
	paths    map[string]map[string]servedOperation
	shared   map[string]servedResponse
	compiler *jsonschema.Compiler

	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema // by the JSON pointer to it
}

type servedOperation struct {
	Responses map[string]servedResponse `json:"responses"`
}

type servedResponse struct {
	Ref     string                     `json:"$ref"`
	Content map[string]json.RawMessage `json:"content"`
}

// Serve reads a document as clients get it.
func Serve(raw []byte) (*Served, error) {
	var document struct {
		Paths      map[string]map[string]servedOperation `json:"paths"`
		Components struct {
			Responses map[string]servedResponse `json:"responses"`
		} `json:"components"`
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	resource, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	closeSchemas(resource)
	s := &Served{paths: document.Paths, shared: document.Components.Responses, compiler: jsonschema.NewCompiler(), schemas: make(map[string]*jsonschema.Schema)}
	s.compiler.AssertFormat()
	s.compiler.RegisterFormat(&jsonschema.Format{Name: "email", Validate: validEmail})
	return s, s.compiler.AddResource(servedURL, resource)
}

// closeSchemas allows no members but those that a schema lists: a client does not know of others. The document does not say so
// itself, so that answers can grow. A part of allOf does not know the members of the other parts and stays open.
func closeSchemas(value any) {
	switch v := value.(type) {
	case map[string]any:
		if _, lists := v["properties"].(map[string]any); lists && v["type"] == "object" && v["additionalProperties"] == nil && v["allOf"] == nil {
			v["additionalProperties"] = false
		}
		for name, member := range v {
			if name != "allOf" && name != "example" && name != "examples" {
				closeSchemas(member)
			}
		}
	case []any:
		for _, element := range v {
			closeSchemas(element)
		}
	}
}

// validEmail takes letters of any script, as RFC 6531 does. The format of JSON Schema is ASCII.
func validEmail(v any) error {
	if address, is := v.(string); is && !strings.Contains(address, "@") {
		return errors.New("no address")
	}
	return nil
}

const servedURL = "https://document/openapi.json"

// served is the document in the source tree, read once for all tests of a process.
var served = sync.OnceValues(func() (*Served, error) {
	dir, err := os.Getwd()
	for err == nil {
		raw, missing := os.ReadFile(filepath.Join(dir, servedPath))
		if missing == nil {
			return Serve(raw)
		}
		if dir == filepath.Dir(dir) {
			err = errors.New("no " + servedPath + " above the folder of the test")
		}
		dir = filepath.Dir(dir)
	}
	return nil, err
})

// Check returns what in the body of an answer is against its schema, and "" for nothing. Pages are not in the document. What is
// no JSON has no schema; of it the media type is compared.
func (s *Served) Check(template, method string, a Answer) string {
	response, known := s.paths[template][strings.ToLower(method)].Responses[strconv.Itoa(a.Status)]
	if !known {
		return ""
	}
	at := "/paths/" + token(template) + "/" + strings.ToLower(method) + "/responses/" + strconv.Itoa(a.Status)
	if name, shared := strings.CutPrefix(response.Ref, "#/components/responses/"); shared {
		at, response = "/components/responses/"+token(name), s.shared[name]
	}
	media, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if media == "" {
		return ""
	}
	for name := range response.Content {
		if plain, _, err := mime.ParseMediaType(name); err == nil && plain == media {
			return s.body(at+"/content/"+token(name)+"/schema", media, a.Body)
		}
	}
	return fmt.Sprintf("%d with the media type %s is not documented", a.Status, media)
}

// body compares a body with the schema at a JSON pointer.
func (s *Served) body(at, media string, body []byte) string {
	if len(body) == 0 || !isJSON(media) {
		return ""
	}
	schema, err := s.schema(at)
	if err != nil {
		return err.Error()
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		return fmt.Sprintf("the body is against its schema (make openapi, if the document is old): %v\n%.1000s", err, body)
	}
	return ""
}

func (s *Served) schema(at string) (*jsonschema.Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if schema, is := s.schemas[at]; is {
		return schema, nil
	}
	schema, err := s.compiler.Compile(servedURL + "#" + (&url.URL{Path: at}).EscapedPath())
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", at, err)
	}
	s.schemas[at] = schema
	return schema, nil
}

// isJSON reports whether a media type is one of JSON.
func isJSON(media string) bool {
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

// token is a name as a part of a JSON pointer.
func token(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
