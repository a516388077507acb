package openapi

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Older is a document as OpenAPI 3.0.3, for generators that do not read 3.1. It says the same, with one exception: an object
// that has a member twice, as id and as _id, has it as id alone. Generators for Dart and Go make one name of both.
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
	raw, err := json.Marshal(older(root))
	if err != nil {
		return nil, fmt.Errorf("encode OpenAPI document: %w", err)
	}
	return lines(raw)
}

// older changes a value and all that it holds. Values of examples stay as they are.
func older(value any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = older(v[i])
		}
	case map[string]any:
		for name, member := range v {
			if name != "example" && name != "examples" {
				v[name] = older(member)
			}
		}
		return olderSchema(v)
	}
	return value
}

// olderSchema writes the words of JSON Schema that 3.0 lacks as those that it has. Objects that are no schemas have none of them.
func olderSchema(s map[string]any) any {
	olderType(s)
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
	return olderRef(s)
}

// olderType writes null among the types as nullable.
func olderType(s map[string]any) {
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
		s["allOf"], s["nullable"], s["type"] = parts[:1], true, "object" // nullable counts beside a type alone
	}
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
