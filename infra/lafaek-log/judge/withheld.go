package judge

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
)

// heldBack are members that say that an answer does not show the whole report.
var heldBack = []string{"content_pending", "content_hidden", "removed"}

// withheld names what an answer does not show of what its commitment covers, separated by commas; empty if it shows all.
func withheld(given object, e entry) string {
	var left []string
	is := kindOf(given)
	if is == aReport {
		for _, name := range heldBack {
			if value, ok := given[name]; ok && string(value) != "false" && string(value) != "null" {
				left = append(left, name)
			}
		}
		for _, name := range reportMembers {
			if string(given[name]) == "null" {
				left = append(left, name)
			}
		}
		required := []string{"captured_at"}
		if e.Version != 1 {
			required = append(required, "severity", "severity_score", "priority")
			required = append(required, placeNames...)
		}
		for _, name := range required {
			if _, ok := given[name]; !ok {
				left = append(left, name)
			}
		}
	}
	if (is == aReport && e.Version != 1 || is == aComment) && string(author(given)) == "null" {
		left = append(left, "author")
	}
	return strings.Join(left, ", ")
}

// contradicts reports whether a report states a place, a source or a time of filing that the entries rule out. No event
// changes these. A place that is held back is rounded, and so is that of an entry.
func contradicts(given object, entries []entry) bool {
	const rounding = 0.00056 // degrees: half of the third decimal, and half of the fourth
	for _, e := range entries {
		for name, stated := range map[string]*float64{"latitude": e.Location.Lat, "longitude": e.Location.Lon} {
			var is *float64
			if json.Unmarshal(given[name], &is) == nil && is != nil && stated != nil && math.Abs(*is-*stated) > rounding {
				return true
			}
		}
		if source := textOf(given["source"]); source != "" && e.Source != "" && source != e.Source {
			return true
		}
		if e.CreatedAt != "" && isText(given["created_at"]) && textOf(captured(given["created_at"], 3)) != e.CreatedAt {
			return true
		}
	}
	return false
}

// isText reports whether a value is a JSON string.
func isText(value json.RawMessage) bool { return slices.Equal(value[:min(1, len(value))], []byte{'"'}) }

// textOf is a JSON string as text; empty for another value.
func textOf(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return ""
	}
	return text
}
