package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// lines writes a document as it is embedded and served: without spaces, and with one line for each path, schema and other
// component. So it is small, and a change of it can be read.
func lines(document []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := writeLines(&out, document, 0); err != nil {
		return nil, fmt.Errorf("write OpenAPI document: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// split are the members whose own members have lines of their own, by their depth.
var split = map[string]int{"paths": 1, "components": 1, "schemas": 2, "securitySchemes": 2, "responses": 2, "headers": 2, "parameters": 2, "examples": 2}

func writeLines(out *bytes.Buffer, object []byte, depth int) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(members))
	if i := slices.Index(names, "openapi"); i > 0 { // first, so that a reader sees what it is
		names = slices.Insert(slices.Delete(names, i, i+1), 0, "openapi")
	}
	out.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(out, "\n%q:", name)
		if split[name] == depth+1 {
			if err := writeLines(out, members[name], depth+1); err != nil {
				return err
			}
		} else if err := json.Compact(out, members[name]); err != nil {
			return err
		}
	}
	out.WriteString("\n}")
	return nil
}
