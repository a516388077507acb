package httpapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// unfit has an operation whose output huma refuses, and one that it takes.
type unfit struct{}

func (unfit) Name() string { return "unfit" }

func (unfit) Register(api *httpapi.API) {
	get := func(path string) httpapi.Operation {
		return httpapi.Operation{Operation: huma.Operation{Method: http.MethodGet, Path: path}, Access: httpapi.Public}
	}
	httpapi.Register(api, get("/number"), func(context.Context, *struct{}) (*int, error) { return new(int), nil })
	httpapi.Register(api, get("/text"), func(context.Context, *struct{}) (*struct{ Body string }, error) {
		return &struct{ Body string }{"x"}, nil
	})
}

// Huma derives the schemas of an operation at its first request, which finds its faults then. The document derives all.
func TestAnOperationIsPreparedAtItsFirstRequest(t *testing.T) {
	t.Parallel()
	service := httpapi.New(httpapi.Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler)}, unfit{})
	var all sync.WaitGroup
	for range 4 { // several first requests at once
		for path, want := range map[string]int{"/text": http.StatusOK, "/number": http.StatusInternalServerError} {
			all.Go(func() {
				w := httptest.NewRecorder()
				if service.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil)); w.Code != want {
					t.Errorf("GET %s: %d, want %d", path, w.Code, want)
				}
			})
		}
	}
	all.Wait()
	defer func() {
		if recover() == nil {
			t.Error("the document has an operation that huma refuses")
		}
	}()
	httpapi.Document(unfit{})
}
