package httpapi

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// markNullable has the schemas say null where Go would write it: a pointer
// without omitempty. Huma does so for pointers to plain values alone, not for
// those to structs and to types with a schema of their own.
func markNullable(registry huma.Registry) {
	for name, schema := range registry.Map() {
		t := registry.TypeFromRef("#/components/schemas/" + name)
		if t == nil || schema.Properties == nil {
			continue
		}
		for property, field := range pointersOf(t) {
			if p := schema.Properties[property]; p != nil && field {
				schema.Properties[property] = nullable(p)
			}
		}
	}
}

// pointersOf are the JSON members of a struct that are pointers and written also when nil.
func pointersOf(t reflect.Type) map[string]bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	out := make(map[string]bool)
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || !f.IsExported() || name == "" || name == "-" {
			continue
		}
		out[name] = f.Type.Kind() == reflect.Pointer && !strings.Contains(options, "omitempty")
	}
	return out
}

func nullable(s *huma.Schema) *huma.Schema {
	switch {
	case s.Ref != "":
		return &huma.Schema{Description: s.Description, AnyOf: []*huma.Schema{{Ref: s.Ref}, {Type: "null"}}}
	case s.Type == "" || s.Nullable:
		return s
	}
	c := *s
	c.Nullable = true
	if len(c.Enum) > 0 {
		c.Enum = append(append([]any{}, c.Enum...), nil)
	}
	c.PrecomputeMessages()
	return &c
}
