package upload

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lafaekstreet/backend/shared/warning"
)

// formFields are the text parts of a form, in its order.
type formFields []Field

// indexed is the name of a field that stands for an element of a list: images[], images[0] or images[0][upload_id].
var indexed = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(images|s3_keys)\[[0-9]{0,3}\](?:\[([a-z0-9_]+)\]|\.([a-z0-9_]+))?$`)
})

// members returns the members of a JSON object that the fields stand for. A field whose name is in texts stays text. The
// fields of a list (images, s3_keys) are its elements. Of other fields with one name and different values the first counts, and
// w gets a warning.
func (f formFields) members(texts []string, w *warning.Collector) map[string]any {
	out := make(map[string]any, len(f))
	first := make(map[string]string, len(f))
	for _, field := range f {
		if strings.TrimSpace(field.Value) == "" {
			continue // an empty field counts as not sent
		}
		var value any = field.Value
		if !slices.Contains(texts, field.Name) {
			value = parseValue(field.Value)
		}
		if name, element, ok := field.element(value); ok {
			list, _ := out[name].([]any)
			out[name] = append(list, element...)
			continue
		}
		known, sent := first[field.Name]
		if !sent {
			first[field.Name], out[field.Name] = field.Value, value
		} else if known != field.Value {
			w.Add(field.Name, warning.TooMany)
		}
	}
	return out
}

// element returns the list that the field belongs to and the elements that it stands for; false for any other field.
func (f Field) element(value any) (string, []any, bool) {
	if f.Name == "images" || f.Name == "s3_keys" {
		if list, ok := value.([]any); ok {
			return f.Name, list, true
		}
		return f.Name, []any{value}, true
	}
	parts := indexed().FindStringSubmatch(f.Name)
	if parts == nil {
		return "", nil, false
	}
	if member := parts[2] + parts[3]; member != "" {
		value = map[string]any{member: value}
	}
	return parts[1], []any{value}, true
}

// parseValue is the JSON value that text spells, or text itself.
func parseValue(text string) any {
	value, ok := valueOf(text)
	if !ok {
		return text
	}
	return value
}

// isValue reports whether text is a JSON value or JavaScript's text for none.
func isValue(text string) bool {
	_, ok := valueOf(text)
	return ok || strings.TrimSpace(text) == "undefined"
}

func valueOf(text string) (any, bool) {
	trimmed := strings.TrimSpace(text)
	if lower := strings.ToLower(trimmed); lower == "true" || lower == "false" { // True, as some languages write it
		return lower == "true", true
	}
	if !json.Valid([]byte(trimmed)) {
		return nil, false
	}
	decoder := json.NewDecoder(strings.NewReader(trimmed))
	decoder.UseNumber() // numbers keep their digits
	var value any
	if decoder.Decode(&value) != nil {
		return nil, false
	}
	return value, true
}
