package open311

import (
	"context"
	_ "embed" // the document

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
)

// apiDocument describes this interface. It is written by hand: the paths of the specification end in a format, which the document of
// /api/v1 has no form for. Tests compare it with the routes, the parameters and the answers.
//
//go:embed openapi.json
var apiDocument []byte

func (g *Group) registerDocument(a *httpapi.API) {
	o := read("/openapi.json", "OpenAPI 3.1 of this interface")
	o.Responses = map[string]*huma.Response{"200": {Description: "The document", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}}}
	httpapi.Register(a, o, func(context.Context, *struct{}) (*output, error) {
		return &output{ContentType: "application/json", Body: apiDocument}, nil
	})
}
