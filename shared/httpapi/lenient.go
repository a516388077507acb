package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/warning"
)

// Lenient says how an operation reads a body from which it leaves out what it cannot read. Members that the schema requires
// are never left out: a fault in one of them is a 422.
type Lenient struct {
	// Strict are optional members whose faults are a 422 all the same, because they are what the request asks for.
	Strict []string
	// Exact takes the members that the schema requires, and those of Strict, as they were sent: none is cut and no number counts
	// as text.
	Exact bool
	// AnyBody makes a body that is no JSON object count as no body, with a warning.
	AnyBody bool
	// Closed has the value that a member about privacy gets when it cannot be read: the one that shows least.
	Closed map[string]any
	// NotTaken are members that the API knows and this operation has no use for. Each one that is sent is a warning.
	NotTaken []string
	// Bare has, for a list of objects, the member that a bare text in it stands for: ["x"] is [{"id": "x"}].
	Bare map[string]string
}

// Tolerate makes a JSON value fit the schema of an object. An optional member that does not fit is left out, a text that is
// too long is cut, a number counts as text where the schema has text, and one value as a list of one. What is not kept is
// added to w. Tolerate reports whether it changed the value. Call it after Respell.
func (l *Lenient) Tolerate(registry huma.Registry, s *huma.Schema, value any, w *warning.Collector) bool {
	members, ok := value.(map[string]any)
	if !ok {
		return false // for the schema to refuse
	}
	t := tolerance{registry: registry, rules: l, warnings: w}
	t.object(resolved(registry, s), members, "", 0)
	for _, name := range slices.Sorted(slices.Values(l.NotTaken)) {
		if value, sent := members[name]; sent && value != nil {
			w.Add(name, warning.NotTaken)
		}
	}
	return t.changed
}

// takesNone reports that a body which is no JSON object counts as no body.
func (l *Lenient) takesNone(text []byte) bool {
	return l != nil && l.AnyBody && len(bytes.TrimSpace(text)) > 0
}

// tolerance makes one body fit.
type tolerance struct {
	registry huma.Registry
	rules    *Lenient
	warnings *warning.Collector
	changed  bool
}

// object makes the members of an object fit. Path is "" for the body, else the path of the object with a dot at its end.
func (t *tolerance) object(s *huma.Schema, members map[string]any, path string, depth int) {
	for name, value := range members {
		if s.Properties[name] == nil && !decodable(value) {
			delete(members, name) // unknown members are ignored
			t.changed = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		value, sent := members[name]
		if !sent || value == nil { // null counts as absent
			continue
		}
		required := slices.Contains(s.Required, name) || path == "" && slices.Contains(t.rules.Strict, name)
		if required && path == "" && t.rules.Exact {
			continue // for the schema to refuse
		}
		kept, ok := t.fit(s.Properties[name], value, path+name, required, depth+1)
		switch closed, private := t.rules.Closed[path+name]; {
		case ok:
			members[name] = kept
		case private:
			members[name], t.changed = closed, true
			t.warnings.Add(path+name, warning.CountsClosed)
		case !required:
			delete(members, name)
			t.changed = true
		}
	}
}

// fit returns the value as s has it; false if it does not fit. If the value is not required, the warning of that is added.
func (t *tolerance) fit(s *huma.Schema, value any, path string, required bool, depth int) (any, bool) {
	s = resolved(t.registry, s)
	if s == nil || depth > maxNested {
		return value, true
	}
	switch v := value.(type) {
	case map[string]any:
		if s.Type == huma.TypeObject {
			return t.fitObject(s, v, path, required, depth)
		}
	case json.Number:
		if s.Type == huma.TypeString {
			value, t.changed = v.String(), true
		}
	}
	if s.Type == huma.TypeArray && !required {
		return t.fitArray(s, value, path, depth)
	}
	if text, ok := value.(string); ok && s.MaxLength != nil && s.Format == "" {
		if runes := []rune(text); len(runes) > *s.MaxLength {
			value, t.changed = string(runes[:*s.MaxLength]), true
			t.warnings.Add(path, warning.Cut)
		}
	}
	ok := t.valid(s, value) && (s.Type != "" || decodable(value))
	if _, private := t.rules.Closed[path]; !ok && !required && !private {
		t.warnings.Add(path, faultOf(s, value))
	}
	return value, ok
}

// fitObject leaves out the optional members of an object that do not fit. An object of which nothing is left does not fit.
func (t *tolerance) fitObject(s *huma.Schema, members map[string]any, path string, required bool, depth int) (any, bool) {
	sent := len(members)
	t.object(s, members, path+".", depth)
	ok := t.valid(s, members)
	if !ok && !required {
		t.warnings.Add(path, warning.Unreadable)
	}
	return members, ok && (required || sent == 0 || len(members) > 0)
}

// fitArray leaves out the elements that do not fit, and those that are too many.
func (t *tolerance) fitArray(s *huma.Schema, value any, path string, depth int) (any, bool) {
	elements, ok := value.([]any)
	if !ok {
		elements, t.changed = []any{value}, true
	}
	kept := make([]any, 0, len(elements))
	for i, element := range elements {
		if s.MaxItems != nil && len(kept) == *s.MaxItems && element != nil {
			t.changed = true
			t.warnings.Add(path, warning.TooMany)
			break
		}
		if element == nil {
			t.changed = true
			continue
		}
		if text, bare := element.(string); bare && t.rules.Bare[path] != "" {
			element, t.changed = map[string]any{t.rules.Bare[path]: text}, true
		}
		fitting, ok := t.fit(s.Items, element, fmt.Sprintf("%s[%d]", path, i), false, depth+1)
		if !ok {
			t.changed = true
			continue
		}
		kept = append(kept, fitting)
	}
	return kept, t.valid(s, kept) && (len(kept) > 0 || len(elements) == 0)
}

// decodable reports whether each number in a value of no fixed type can be decoded: JSON has numbers that no float64 can hold.
func decodable(value any) bool {
	switch v := value.(type) {
	case json.Number:
		_, err := v.Float64()
		return err == nil
	case []any:
		return !slices.ContainsFunc(v, func(element any) bool { return !decodable(element) })
	case map[string]any:
		for _, member := range v {
			if !decodable(member) {
				return false
			}
		}
	}
	return true
}

func (t *tolerance) valid(s *huma.Schema, value any) bool {
	result := &huma.ValidateResult{}
	huma.Validate(t.registry, s, huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, value, result)
	return len(result.Errors) == 0
}

// faultOf is the code of a value that does not fit s.
func faultOf(s *huma.Schema, value any) warning.Code {
	if _, number := value.(json.Number); number && (s.Type == huma.TypeNumber || s.Type == huma.TypeInteger) {
		return warning.OutOfRange
	}
	return warning.Unreadable
}
