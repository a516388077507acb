package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/locale"
)

// spellable is the schema of op's JSON body when it has members to respell, else
// nil. What may be spelled in several ways is read as the schema has it: a word of
// a fixed set in any case, with space, hyphen and underscore alike; a UUID in any
// of its forms, of which the database knows fewer than the schema; a member's
// name in any case, as the decoder reads it. An optional member with an empty UUID counts as
// left out. Anything else passes, for the schema to refuse. Named says that a member's
// name matters even where no value can be respelled.
func spellable(registry huma.Registry, op *huma.Operation, named bool) *huma.Schema {
	if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
		return nil
	}
	s := op.RequestBody.Content["application/json"].Schema
	if !named && !holdsSpelled(registry, s, 0) {
		return nil
	}
	return s
}

// maxNested bounds how deep schemas are looked into, for one may hold itself.
const maxNested = 8

func holdsSpelled(registry huma.Registry, s *huma.Schema, depth int) bool {
	s = resolved(registry, s)
	if s == nil || depth > maxNested {
		return false
	}
	if isWord(s) || s.Format == "uuid" || holdsSpelled(registry, s.Items, depth+1) {
		return true
	}
	for _, member := range s.Properties {
		if holdsSpelled(registry, member, depth+1) {
			return true
		}
	}
	return false
}

func resolved(registry huma.Registry, s *huma.Schema) *huma.Schema {
	if s != nil && s.Ref != "" {
		return registry.SchemaFromRef(s.Ref)
	}
	return s
}

func isWord(s *huma.Schema) bool { return s.Type == huma.TypeString && len(s.Enum) > 0 }

// respellParameters respells the path values of r and the query, and reports whether the query changed.
func respellParameters(op *huma.Operation, r *http.Request, query url.Values) bool {
	changed := false
	for _, p := range op.Parameters {
		if p.Schema == nil {
			continue
		}
		switch p.In {
		case "path":
			r.SetPathValue(p.Name, respell(p.Schema, r.PathValue(p.Name)))
		case "query":
			if value := query.Get(p.Name); value != "" {
				if known := respell(p.Schema, value); known != value {
					query.Set(p.Name, known)
					changed = true
				}
			}
		}
	}
	return changed
}

// Respell does for a value that came inside something else what is done for every body, and reports whether it changed.
func Respell(registry huma.Registry, s *huma.Schema, value any) bool {
	return respellIn(registry, s, value, 0)
}

// respellIn respells the members of value that s describes, and reports whether any changed.
func respellIn(registry huma.Registry, s *huma.Schema, value any, depth int) bool {
	s = resolved(registry, s)
	if s == nil || depth > maxNested {
		return false
	}
	changed := false
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			changed = respellIn(registry, s.Items, element, depth+1) || changed
		}
	case map[string]any:
		changed = renameCase(s, v)
		for name, member := range v {
			schema := resolved(registry, s.Properties[name])
			text, isText := member.(string)
			switch {
			case schema == nil:
			case !isText:
				changed = respellIn(registry, schema, member, depth+1) || changed
			case schema.Format == "uuid" && strings.TrimSpace(text) == "" && !slices.Contains(s.Required, name):
				delete(v, name)
				changed = true
			default:
				if known := respell(schema, text); known != text {
					v[name], changed = known, true
				}
			}
		}
	}
	return changed
}

// renameCase gives members the names that s has for them, as the decoder would:
// it reads names in any case. A member with the exact name wins over others, and of
// those the first by name.
func renameCase(s *huma.Schema, members map[string]any) bool {
	if len(s.Properties) == 0 {
		return false
	}
	var others []string
	for name := range members {
		if s.Properties[name] == nil {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	changed := false
	for _, name := range others {
		for known := range s.Properties {
			if !strings.EqualFold(known, name) {
				continue
			}
			if _, taken := members[known]; !taken {
				members[known] = members[name]
			}
			delete(members, name)
			changed = true
			break
		}
	}
	return changed
}

// respell is text as s has it, or text itself where s has nothing like it.
func respell(s *huma.Schema, text string) string {
	switch {
	case s.Format == "uuid":
		if id, err := uuid.Parse(strings.TrimSpace(text)); err == nil {
			return id.String()
		}
	case isWord(s) && !slices.Contains(s.Enum, any(text)):
		key := folded(text)
		for _, word := range s.Enum {
			if known, ok := word.(string); ok && folded(known) == key {
				return known
			}
		}
	}
	return text
}

// folded is word in lower case without spaces, hyphens and underscores.
func folded(word string) string { return strings.ReplaceAll(locale.FoldWord(word), "_", "") }
