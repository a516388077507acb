package httpapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// bridges is a route group with one operation.
type bridges struct{}

// Name implements httpapi.Group.
func (bridges) Name() string { return "bridges" }

type createBridgeInput struct {
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"50"`
	}
}

type createBridgeOutput struct {
	Body struct {
		Name string `json:"name"`
	}
}

// Register implements httpapi.Group.
func (b bridges) Register(api *httpapi.API) {
	httpapi.Register(api, httpapi.Operation{
		Operation: huma.Operation{Method: http.MethodPost, Path: "/api/v1/bridges", DefaultStatus: http.StatusCreated},
		Access:    httpapi.Public,
		Aliases:   map[string]string{"bridge_name": "name"},
	}, b.create)
}

func (bridges) create(_ context.Context, in *createBridgeInput) (*createBridgeOutput, error) {
	out := &createBridgeOutput{}
	out.Body.Name = in.Body.Name
	return out, nil
}

// A route group registers its operations. Input that does not fit the operation
// is answered with a problem document.
func Example() {
	service := httpapi.New(httpapi.Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler)}, bridges{})
	for _, body := range []string{`{"bridge_name":"Comoro"}`, `{"name":""}`} {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/bridges", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Request-Id", "example-1")
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		fmt.Print(w.Code, " ", w.Header().Get("Content-Type"), "\n", w.Body.String())
	}
	// Output:
	// 201 application/json
	// {"name":"Comoro"}
	// 422 application/problem+json
	// {"type":"http://example.com/docs/problems/invalid_input","title":"Unprocessable Entity","status":422,"detail":"Some of what was sent is not valid.","code":"invalid_input","request_id":"example-1","errors":[{"field":"name","message":"expected length \u003e= 1"}]}
}
