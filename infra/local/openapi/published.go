package openapi

import (
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
)

// publish changes the schemas from those that the reader of requests goes by to those that a client should go by. The reader
// takes more than is described: unknown members, null for a list, a synonym for a word.
func publish(api *huma.OpenAPI) {
	for _, item := range api.Paths {
		for _, op := range httpapi.Operations(item) {
			describeBody(api.Components.Schemas, op)
		}
	}
	eachSchema(api, func(name string, s *huma.Schema) {
		closeSchema(s)
		describeWords(api.Components.Schemas, name, s)
		describeFormat(name, s)
	})
	nameSets(api)
}

// closeSchema leaves out that any other member may be there, and that a list may be null: no answer has null for a list.
// Objects whose members are named by data (a map) keep their additionalProperties.
func closeSchema(s *huma.Schema) {
	if _, free := s.AdditionalProperties.(bool); free {
		s.AdditionalProperties = nil
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	if n := len(s.AnyOf); n == 2 && s.AnyOf[1].Description == httpapi.AnyItem {
		*s = *s.AnyOf[0]
	}
}

// eachSchema calls visit once for every schema, the outer one first. Name leads to it: "Report.images[]", "post-reports.file".
// A parameter has the name of its operation and its own.
func eachSchema(api *huma.OpenAPI, visit func(name string, s *huma.Schema)) {
	w := walk{seen: make(map[*huma.Schema]bool), visit: visit}
	for name, s := range api.Components.Schemas.Map() {
		w.schema(name, s)
	}
	for _, item := range api.Paths {
		for _, op := range httpapi.Operations(item) {
			w.operation(op)
		}
	}
}

type walk struct {
	seen  map[*huma.Schema]bool
	visit func(name string, s *huma.Schema)
}

func (w walk) operation(op *huma.Operation) {
	for _, p := range op.Parameters {
		w.schema(op.OperationID+"."+p.Name, p.Schema)
	}
	if op.RequestBody != nil {
		w.content(op.OperationID, op.RequestBody.Content)
	}
	for _, r := range op.Responses {
		w.content(op.OperationID, r.Content)
		for name, h := range r.Headers {
			w.schema(op.OperationID+"."+name, h.Schema)
		}
	}
}

func (w walk) content(name string, content map[string]*huma.MediaType) {
	for _, media := range content {
		w.schema(name, media.Schema)
	}
}

func (w walk) schema(name string, s *huma.Schema) {
	if s == nil || w.seen[s] {
		return
	}
	w.seen[s] = true
	w.visit(name, s)
	for member, schema := range s.Properties {
		w.schema(name+"."+member, schema)
	}
	if values, is := s.AdditionalProperties.(*huma.Schema); is {
		w.schema(name+"{}", values)
	}
	w.schema(name+"[]", s.Items)
	for _, part := range slices.Concat(s.OneOf, s.AnyOf, s.AllOf) {
		w.schema(name, part)
	}
}
