package openapi_test

import (
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/shared/httpapi"
)

// Huma gets an operation at its first request, and writes to what the operation says of its body and of its answers. Two operations may
// have their first requests at once. If they shared a description, Go would end the process: concurrent map writes.
func TestNoTwoOperationsShareADescription(t *testing.T) {
	t.Parallel()
	owners := make(map[any]string)
	for path, item := range httpapi.Document(openapi.Groups()...).Paths {
		for method, op := range httpapi.Operations(item) {
			for _, part := range descriptions(op) {
				if owner, is := owners[part]; is && owner != method+" "+path {
					t.Errorf("%s %s and %s share a %T", method, path, owner, part)
				}
				owners[part] = method + " " + path
			}
		}
	}
	if len(owners) < 300 {
		t.Errorf("only %d descriptions were compared", len(owners))
	}
}

// descriptions are the parts of op that huma may write to, as pointers.
func descriptions(op *huma.Operation) []any {
	var out []any
	if op.RequestBody != nil {
		out = append(out, op.RequestBody)
		for _, media := range op.RequestBody.Content {
			out = append(out, media, media.Schema)
		}
	}
	for _, response := range op.Responses {
		if response.Ref == "" {
			out = append(out, response)
		}
	}
	return out
}
