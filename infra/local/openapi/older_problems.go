package openapi

import (
	"maps"
	"slices"
)

const (
	problemRef  = "#/components/schemas/Problem"
	responseRef = "#/components/responses/"
)

// shareProblem makes one response of all errors of an operation: "default", with the schema Problem and the headers of all errors. The
// codes stay in the extension x-problem-codes of the operation, by status. A generator for Go writes 20 to 90 lines for each
// response and header: the one response more than halves its code, and a new code breaks no client that checks enums.
func shareProblem(root, components map[string]any) {
	shared := make(map[string]bool) // references to responses that are errors
	headers := make(map[string]any)
	responses := components["responses"].(map[string]any)
	for name, r := range responses {
		response := r.(map[string]any)
		if content, _ := response["content"].(map[string]any); content["application/problem+json"] == nil {
			continue
		}
		own, _ := response["headers"].(map[string]any)
		maps.Copy(headers, own)
		shared[responseRef+name] = true
		delete(responses, name)
	}
	responses["Problem"] = map[string]any{
		"description": "An error. The extension x-problem-codes of the operation has its codes by status.",
		"headers":     headers,
		"content":     map[string]any{"application/problem+json": map[string]any{"schema": map[string]any{"$ref": problemRef}}},
	}
	for _, item := range root["paths"].(map[string]any) {
		for _, op := range item.(map[string]any) {
			if op, is := op.(map[string]any); is {
				shareDefault(op, shared)
			}
		}
	}
	delete(components, "examples") // of errors, all of them
	maps.DeleteFunc(components["schemas"].(map[string]any), func(_ string, s any) bool { return narrowsProblem(s) })
}

// shareDefault puts the response "default" in the place of the errors of an operation.
func shareDefault(op map[string]any, shared map[string]bool) {
	responses, _ := op["responses"].(map[string]any)
	for status, r := range responses {
		if ref, _ := r.(map[string]any)["$ref"].(string); shared[ref] {
			delete(responses, status)
			responses["default"] = map[string]any{"$ref": responseRef + "Problem"}
		}
	}
}

// narrowsProblem reports that a schema is Problem with fewer codes.
func narrowsProblem(schema any) bool {
	parts, _ := schema.(map[string]any)["allOf"].([]any)
	return slices.ContainsFunc(parts, func(part any) bool { return part.(map[string]any)["$ref"] == problemRef })
}
