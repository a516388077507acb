package meta

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/lafaekstreet/backend/shared/httpapi"
)

// document is the OpenAPI document of all groups. `make openapi` writes it out of the code; a test fails when it is stale.
//
//go:embed openapi.json
var document []byte

// olderDocument is the same as OpenAPI 3.0. Errors of an operation are one response in it; infra/local/openapi/older.go lists what differs.
//
//go:embed openapi-3.0.json
var olderDocument []byte

// journeyClient describes the 24 operations that the published client of journeys calls, with the names of classes, methods,
// types and parameters under which it was published. It is written by hand and changes no more; tests compare it with the
// code. The order of the members of its login form is the order of parameters of a method.
//
//go:embed journey-client.json
var journeyClient []byte

// served is an OpenAPI document in two parts. The address of the server stands between them.
type served struct{ before, after []byte }

// newServed reads a document that names "/" as its only server. Spaces between its words are left out.
func newServed(raw []byte) (served, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return served{}, fmt.Errorf("read OpenAPI document: %w", err)
	}
	before, after, found := bytes.Cut(compact.Bytes(), []byte(`"url":"/"`))
	if !found {
		return served{}, fmt.Errorf("OpenAPI document has no server %q", "/")
	}
	return served{before: append(before, `"url":`...), after: after}, nil
}

// at returns the document for a client that reached this API under origin. Programs that make clients need an absolute address.
func (s served) at(origin string) ([]byte, error) {
	address, err := json.Marshal(origin)
	if err != nil {
		return nil, fmt.Errorf("write OpenAPI document: %w", err)
	}
	return slices.Concat(s.before, address, s.after), nil
}

// serveDocument returns a finder for register that answers with a document. It reads the document at the first request.
func serveDocument(raw []byte) find {
	parts := sync.OnceValues(func() (served, error) { return newServed(raw) })
	return func(ctx context.Context, _ string) (asset, error) {
		s, err := parts()
		if err != nil {
			return asset{}, err
		}
		body, err := s.at(httpapi.Origin(ctx))
		return asset{body: body}, err
	}
}
