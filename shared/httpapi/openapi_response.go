package httpapi

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// JSON documents one more answer of an operation, for its Responses: a status
// other than the default with a body of its own.
func JSON[T any](a *API, description string) *huma.Response {
	t := reflect.TypeFor[T]()
	schema := a.OpenAPI().Components.Schemas.Schema(t, true, t.Name())
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}
