package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"
)

// spelled has an operation read what clients may spell in several ways as the one its schema has: a word of a fixed set
// in any case, with space, hyphen and underscore alike, and a UUID in any of its forms, of which the database knows
// fewer than the schema lets through. A member that may be left out and holds an empty id counts as left out. Anything
// else passes as it is, for the schema to refuse. It comes after what turns forms into JSON.
func (a *API) spelled() func(huma.Context, func(huma.Context)) {
	var once sync.Once
	var body *huma.Schema // nil where it has nothing of the kind
	return func(hc huma.Context, next func(huma.Context)) {
		op := hc.Operation()
		registry := a.OpenAPI().Components.Schemas
		once.Do(func() { body = spellable(registry, op) })
		r, _ := humago.Unwrap(hc)
		respellParameters(op, r)
		if body != nil && r.Body != nil {
			respellBody(registry, body, r)
		}
		next(hc)
	}
}

func spellable(registry huma.Registry, op *huma.Operation) *huma.Schema {
	if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
		return nil
	}
	s := op.RequestBody.Content["application/json"].Schema
	if !holdsSpelled(registry, s, 0) {
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

func respellParameters(op *huma.Operation, r *http.Request) {
	query := r.URL.Query()
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
				if name := respell(p.Schema, value); name != value {
					query.Set(p.Name, name)
					changed = true
				}
			}
		}
	}
	if changed {
		r.URL.RawQuery = query.Encode()
	}
}

func respellBody(registry huma.Registry, s *huma.Schema, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(raw))
	if err != nil {
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(raw), failing{err}))
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // numbers go on as they came
	var body any
	if decoder.Decode(&body) != nil {
		return
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return
	}
	if !Respell(registry, s, body) {
		return
	}
	if encoded, err := json.Marshal(body); err == nil {
		r.Body = io.NopCloser(bytes.NewReader(encoded))
	}
}

// failing ends a body the way it ended for whoever read it before.
type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

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

var separators = strings.NewReplacer(" ", "", "-", "", "_", "")

func folded(word string) string { return separators.Replace(strings.ToLower(strings.TrimSpace(word))) }
