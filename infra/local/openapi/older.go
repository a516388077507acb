package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Older is a document as OpenAPI 3.0.3, for generators that do not read 3.1, and for those that make one type of each schema and
// code of each response. It says the same, with these exceptions:
//   - An object that has a member twice, as id and as _id, has it as id alone. Generators for Dart and Go make one name of both.
//   - Errors are one response, without examples: see shareProblem.
//   - The words of a member are a schema of their own: see nameWords.
//   - An answer that is null has no body.
func Older(document []byte) ([]byte, error) {
	var root map[string]any
	if err := json.Unmarshal(document, &root); err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	root["openapi"] = "3.0.3"
	if licence, is := root["info"].(map[string]any)["license"].(map[string]any); is {
		delete(licence, "identifier") // 3.0 has an address instead
		licence["url"] = "https://www.apache.org/licenses/LICENSE-2.0"
	}
	components, is := root["components"].(map[string]any)
	schemas, are := components["schemas"].(map[string]any)
	if !is || !are {
		return nil, errors.New("the OpenAPI document has no schemas")
	}
	older(root, schemas)
	shareProblem(root, components)
	nameWords(schemas)
	raw, err := json.Marshal(root)
	if err != nil {
		return nil, fmt.Errorf("encode OpenAPI document: %w", err)
	}
	return lines(raw)
}

// older changes a value and all that it holds. Values of examples stay as they are. Schemas are the components of the document.
func older(value any, schemas map[string]any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = older(v[i], schemas)
		}
	case map[string]any:
		for name, member := range v {
			if name != "example" && name != "examples" {
				v[name] = older(member, schemas)
			}
		}
		return olderSchema(v, schemas)
	}
	return value
}

// olderSchema writes the words of JSON Schema that 3.0 lacks as those that it has. Objects that are no schemas have none of them.
func olderSchema(s, schemas map[string]any) any {
	olderType(s, schemas)
	for word, bound := range map[string]string{"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"} {
		if number, is := s[word].(float64); is {
			s[bound], s[word] = number, true
		}
	}
	if examples, is := s["examples"].([]any); is && len(examples) > 0 {
		s["example"] = examples[0]
		delete(s, "examples")
	}
	if value, is := s["const"]; is {
		s["enum"] = []any{value}
		delete(s, "const")
	}
	delete(s, "contentMediaType")
	delete(s, "contentEncoding")
	withoutSecondID(s)
	withoutNullBody(s)
	return olderRef(s)
}

// olderType writes null among the types as nullable.
func olderType(s, schemas map[string]any) {
	switch t := s["type"].(type) {
	case []any:
		types := slices.DeleteFunc(t, func(name any) bool { return name == "null" })
		s["nullable"], s["type"] = true, types[0]
	case string:
		if t == "null" {
			s["type"], s["nullable"], s["enum"] = "object", true, []any{nil}
		}
	}
	if parts, is := s["anyOf"].([]any); is && len(parts) == 2 && isNull(parts[1]) {
		delete(s, "anyOf")
		s["allOf"], s["nullable"], s["type"] = parts[:1], true, typeOf(parts[0], schemas) // nullable counts beside a type alone
	}
}

// typeOf is the type of a schema or of what it refers to: string for a set of words, object for all others.
func typeOf(schema any, schemas map[string]any) string {
	ref, _ := schema.(map[string]any)["$ref"].(string)
	target, _ := schemas[strings.TrimPrefix(ref, "#/components/schemas/")].(map[string]any)
	if target["type"] == "string" {
		return "string"
	}
	return "object"
}

// isNull reports that a schema, which olderType has changed, is of null alone.
func isNull(schema any) bool {
	s, _ := schema.(map[string]any)
	words, _ := s["enum"].([]any)
	return len(words) == 1 && words[0] == nil
}

// olderRef puts a reference into allOf where it has a description beside it: in 3.0 nothing may be beside it.
func olderRef(s map[string]any) any {
	ref, is := s["$ref"]
	if !is || len(s) == 1 {
		return s
	}
	delete(s, "$ref")
	s["allOf"] = []any{map[string]any{"$ref": ref}}
	return s
}

// withoutSecondID leaves _id out of an object that has id.
func withoutSecondID(s map[string]any) {
	properties, _ := s["properties"].(map[string]any)
	if properties["_id"] == nil || properties["id"] == nil {
		return
	}
	delete(properties, "_id")
	required, _ := s["required"].([]any)
	s["required"] = slices.DeleteFunc(required, func(name any) bool { return name == "_id" })
}

// withoutNullBody leaves out of a response that its body is null. A generator for Go makes "any" of it.
func withoutNullBody(response map[string]any) {
	content, _ := response["content"].(map[string]any)
	media, _ := content["application/json"].(map[string]any)
	if isNull(media["schema"]) {
		delete(response, "content")
	}
}
