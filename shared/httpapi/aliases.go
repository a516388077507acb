package httpapi

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// alias is a further name of a member or a query parameter.
type alias struct{ from, to string }

// sortedAliases orders aliases by name. If a request has two aliases of one member, the
// first in this order is used.
func sortedAliases(aliases map[string]string) []alias {
	out := make([]alias, 0, len(aliases))
	for _, from := range slices.Sorted(maps.Keys(aliases)) {
		out = append(out, alias{from, aliases[from]})
	}
	return out
}

// Rename gives the members of an object their first names. A member that was sent under its first name keeps its value,
// except null and empty text: these count as absent if the object has the member under another name.
func Rename[V any](members map[string]V, aliases map[string]string) {
	rename(members, sortedAliases(aliases))
}

// rename is Rename and reports whether anything changed.
func rename[V any](members map[string]V, aliases []alias) bool {
	changed := false
	for _, a := range aliases {
		value, sent := members[a.from]
		there, taken := members[a.to]
		if sent && (!taken || absent(there) && !absent(value)) {
			members[a.to] = value
			delete(members, a.from)
			changed = true
		}
	}
	return changed
}

// absent reports whether a member of a parsed JSON object counts as not sent: null and empty text. It is false for
// json.RawMessage, so that renameText stays as it was.
func absent(value any) bool {
	text, isText := value.(string)
	return value == nil || isText && strings.TrimSpace(text) == ""
}

// renameNested renames the members of a JSON object, and of the objects in its
// arrays (a batch). Anything else passes, for the operation's schema to refuse.
func renameNested(value any, aliases []alias) bool {
	object, ok := value.(map[string]any)
	if !ok || len(aliases) == 0 {
		return false
	}
	changed := rename(object, aliases)
	for _, member := range object {
		elements, _ := member.([]any)
		if !slices.ContainsFunc(elements, isNoObject) {
			for _, element := range elements {
				members, _ := element.(map[string]any)
				changed = members != nil && rename(members, aliases) || changed
			}
		}
	}
	return changed
}

// isNoObject reports whether value is something other than an object or null.
func isNoObject(value any) bool {
	_, object := value.(map[string]any)
	return !object && value != nil
}

// renameText is renameNested on text, as the version before December 2026 did it: values that have no alias stay as
// they are written. It serves requestHashes.text alone.
func renameText(text []byte, aliases []alias) []byte {
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil || object == nil {
		return text
	}
	changed := rename(object, aliases)
	for name, value := range object {
		var elements []map[string]json.RawMessage
		if len(value) == 0 || value[0] != '[' || json.Unmarshal(value, &elements) != nil {
			continue
		}
		inner := false
		for _, element := range elements {
			inner = element != nil && rename(element, aliases) || inner
		}
		if encoded, err := json.Marshal(elements); err == nil && inner {
			object[name], changed = encoded, true
		}
	}
	if encoded, err := json.Marshal(object); err == nil && changed {
		return encoded
	}
	return text
}
