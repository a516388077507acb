package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// spellable is the schema of op's JSON body if it has members to respell, else nil.
// Respelling gives these the spelling of the schema:
//   - a word of a fixed set: case does not matter, and space, hyphen and underscore are the same;
//   - a UUID: the schema accepts more forms than the database;
//   - a number or a boolean, as SQLite, forms and locales write them: "-8,5", 1, "True";
//   - a typed code that was sent as a number: text, with the zeros that a number loses;
//   - the name of a member: case does not matter, as for the decoder.
//
// An optional member with an empty UUID counts as left out. All other values stay
// unchanged, and the schema refuses them if they are wrong. Named means that names of
// members matter even if no value can be respelled.
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
	if isWord(s) || s.Format == "uuid" || s.Format == formatTypedCode || isScalar(s) || holdsSpelled(registry, s.Items, depth+1) {
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

// formatTypedCode is the format of a code that a person types, six digits or nine.
const formatTypedCode = "typed-code"

// codeOfNumber is the text of a typed code that was sent as a number, and true; else member itself. Six digits may have
// begun with zeros; nine never do.
func codeOfNumber(member any) (any, bool) {
	number, _ := member.(json.Number)
	value, err := strconv.ParseFloat(number.String(), 64)
	if err != nil || value != math.Trunc(value) || value < 0 || value >= 1e9 {
		return member, false
	}
	return fmt.Sprintf("%06d", int64(value)), true
}

func isWord(s *huma.Schema) bool { return s.Type == huma.TypeString && len(s.Enum) > 0 }

func isScalar(s *huma.Schema) bool {
	return s.Type == huma.TypeBoolean || s.Type == huma.TypeNumber || s.Type == huma.TypeInteger
}

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
				known := respell(p.Schema, value)
				if p.Schema.Format == "date-time" {
					known = timestamp.WithPlus(known)
				}
				if known != value {
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
		for i, element := range v {
			text, isText := element.(string)
			words := resolved(registry, s.Items)
			if isText && words != nil && isWord(words) {
				known := respell(words, text)
				v[i], changed = known, changed || known != text
				continue
			}
			changed = respellIn(registry, s.Items, element, depth+1) || changed
		}
	case map[string]any:
		changed = renameCase(s, v)
		for name, member := range v {
			schema := resolved(registry, s.Properties[name])
			text, isText := member.(string)
			switch {
			case schema == nil:
			case isScalar(schema):
				respelled, other := respellScalar(schema, member)
				v[name], changed = respelled, other || changed
			case !isText && schema.Format == formatTypedCode:
				code, ok := codeOfNumber(member)
				v[name], changed = code, ok || changed
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

// renameCase gives members the names that s has for them: case does not matter, as
// for the decoder. If several members fit one name, the exact name is used, else the
// first in alphabetical order.
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
			if there, taken := members[known]; !taken || absent(there) && !absent(members[name]) {
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

// decimal is a number as people and programs write it: with a point or a comma.
var decimal = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[+-]?[0-9]{1,40}([.,][0-9]{0,40})?([eE][+-]?[0-9]{1,4})?$`)
})

// respellScalar is value as a number or boolean of s, and whether that is another value; value itself where s has nothing
// like it. A boolean may be 0, 1 or a word. A number may be decimal text with a point or a comma.
func respellScalar(s *huma.Schema, value any) (any, bool) {
	text := ""
	switch v := value.(type) {
	case string:
		text = strings.ReplaceAll(strings.TrimSpace(v), "\u2212", "-") // the minus sign of some locales
	case json.Number:
		text = v.String()
	default:
		return value, false
	}
	if s.Type == huma.TypeBoolean {
		switch strings.ToLower(text) {
		case "true", "1", "1.0":
			return true, true
		case "false", "0", "0.0":
			return false, true
		}
		return value, false
	}
	_, isNumber := value.(json.Number)
	if isNumber && s.Type == huma.TypeNumber || !decimal().MatchString(text) {
		return value, false // a number keeps its digits
	}
	number, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	const exact = 1 << 53 // larger whole numbers have no exact float64
	switch whole := number == math.Trunc(number) && math.Abs(number) < exact; {
	case err != nil:
		return value, false
	case s.Type == huma.TypeNumber:
		return json.Number(strconv.FormatFloat(number, 'g', -1, 64)), true
	case whole:
		respelled := json.Number(strconv.FormatInt(int64(number), 10))
		return respelled, value != any(respelled)
	}
	return value, false
}

// folded is word in lower case without spaces, hyphens and underscores.
func folded(word string) string { return strings.ReplaceAll(locale.FoldWord(word), "_", "") }

const textFault = "expected UTF-8 without the character U+0000"

// checkText refuses text in the address that PostgreSQL cannot store: the character
// U+0000, and bytes that are not UTF-8. In a JSON body neither is refused: the
// decoder replaces wrong bytes and withoutNUL drops the character, so that no report is lost for it.
func checkText(path string, query url.Values) error {
	if !validText(path) {
		return problem.InvalidField("path", textFault)
	}
	for name, values := range query {
		if !validText(name) {
			return problem.InvalidField("query", textFault)
		}
		for _, value := range values {
			if !validText(value) {
				return problem.InvalidField(name, textFault)
			}
		}
	}
	return nil
}

func validText(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// withoutNUL returns a JSON text without the escapes of U+0000. A backslash that is itself escaped starts no escape.
func withoutNUL(raw []byte) []byte {
	escape := []byte(`\u0000`)
	if !bytes.Contains(raw, escape) {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		n := 1
		switch {
		case bytes.HasPrefix(raw, escape):
			raw = raw[len(escape):]
			continue
		case raw[0] == '\\' && len(raw) > 1:
			n = 2
		}
		out, raw = append(out, raw[:n]...), raw[n:]
	}
	return out
}

// numbersOf are the query parameters of op that are numbers.
func numbersOf(op *huma.Operation) []string {
	var numbers []string
	for _, p := range op.Parameters {
		if p.In == "query" && p.Schema != nil && p.Schema.Type == huma.TypeNumber {
			numbers = append(numbers, p.Name)
		}
	}
	return numbers
}

// checkFinite refuses NaN and the infinities: they parse as numbers, and no range check stops NaN.
func checkFinite(query url.Values, numbers []string) error {
	for _, name := range numbers {
		n, err := strconv.ParseFloat(query.Get(name), 64)
		if err == nil && (math.IsNaN(n) || math.IsInf(n, 0)) {
			return problem.InvalidField(name, "expected a finite number")
		}
	}
	return nil
}
