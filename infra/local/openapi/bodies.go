package openapi

import (
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// describeBody leaves out that an operation takes bytes where it takes JSON alone: it reads them to know what was absent. A
// schema with a title becomes a named one: a form beside JSON is a type of its own in what a generator makes. JSON is listed
// first, for generators that take the first.
func describeBody(registry huma.Registry, op *huma.Operation) {
	if op.RequestBody == nil {
		return
	}
	content := op.RequestBody.Content
	if len(content) == 2 && content["application/json"] != nil {
		delete(content, "application/octet-stream")
	}
	for _, media := range content {
		if name := media.Schema.Title; name != "" {
			media.Schema.Title = ""
			completeForm(registry, content["application/json"].Schema, media.Schema)
			registry.Map()[name] = media.Schema
			media.Schema = &huma.Schema{Ref: "#/components/schemas/" + name}
		}
	}
}

// completeForm describes the fields of a form that has their names alone, as the members of the JSON body.
func completeForm(registry huma.Registry, body, form *huma.Schema) {
	if body = registry.SchemaFromRef(body.Ref); body == nil {
		return
	}
	for name, field := range form.Properties {
		if field.Type != "" || body.Properties[name] == nil {
			continue
		}
		form.Properties[name] = body.Properties[name]
		if slices.Contains(body.Required, name) {
			form.Required = append(form.Required, name)
		}
	}
	slices.Sort(form.Required)
}
