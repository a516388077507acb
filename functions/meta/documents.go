package meta

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/swaggest/swgui/v5/static"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
)

//go:embed pages/docs.html
var docsPage []byte

//go:embed pages/docs.js
var docsScript []byte

//go:embed pages/redoc.html
var redocPage []byte

//go:embed pages/guide.css
var guideStyle []byte

// ReDoc comes from npm, compressed as it is sent (make assets).
//
//go:embed pages/redoc.standalone.js.gz
var redocScript []byte

func (g *Group) registerDocuments(api *httpapi.API) {
	op := operation("/openapi.json", "OpenAPI 3.1")
	op.OperationID, op.Description = "openapi", "All operations that programs call."
	register(api, op, "application/json", serveDocument(document))
	op = operation("/openapi-3.0.json", "OpenAPI 3.0")
	op.OperationID = "openapi-3-0"
	op.Description = "The same as /openapi.json for generators that do not read OpenAPI 3.1. Where an object has id and _id with one value, it has id alone."
	register(api, op, "application/json", serveDocument(olderDocument))
	op = operation("/api/v1/openapi.json", "OpenAPI of the journey client")
	op.OperationID = "openapi-api-v1"
	op.Description = "The operations of the published client of journeys, with the names under which it was published."
	register(api, op, "application/json", serveDocument(journeyClient))
	register(api, operation("/docs", "Swagger UI"), "text/html; charset=utf-8",
		func(context.Context, string) (asset, error) { return asset{body: docsPage}, nil })
	register(api, operation("/redoc", "ReDoc"), "text/html; charset=utf-8",
		func(context.Context, string) (asset, error) { return asset{body: redocPage}, nil })
	registerGuides(api)
	registerProblems(api)
	register(api, operation("/docs/{file}", "A part of Swagger UI"), "", swagger)
	register(api, operation("/redoc/{file}", "A part of ReDoc"), "", func(_ context.Context, file string) (asset, error) {
		if file != "redoc.standalone.js" {
			return asset{}, errNoFile
		}
		return asset{body: redocScript, packed: true}, nil
	})
}

// asset is a file. packed reports that body is compressed with gzip.
type asset struct {
	body   []byte
	packed bool
}

// find returns a file by its name; the name is empty where an address has one file.
type find func(ctx context.Context, file string) (asset, error)

var errNoFile = problem.New(problem.NotFound, "not_found")

// swagger finds a file of Swagger UI, most of which are embedded compressed.
func swagger(_ context.Context, file string) (asset, error) {
	switch file {
	case "docs.js":
		return asset{body: docsScript}, nil
	case "guide.css":
		return asset{body: guideStyle}, nil
	}
	if body, err := static.FS.ReadFile(file + ".gz"); err == nil {
		return asset{body: body, packed: true}, nil
	}
	body, err := static.FS.ReadFile(file)
	if err != nil || strings.HasSuffix(file, ".gz") {
		return asset{}, errNoFile
	}
	return asset{body: body}, nil
}

type fileInput struct {
	File           string `path:"file"`
	AcceptEncoding string `header:"Accept-Encoding" hidden:"true"`
}

type pageInput struct {
	AcceptEncoding string `header:"Accept-Encoding" hidden:"true"`
}

// pagePolicy is the Content-Security-Policy of the pages: they load nothing from elsewhere.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
	"connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

type fileOutput struct {
	Policy          string `header:"Content-Security-Policy"`
	ContentType     string `header:"Content-Type"`
	ContentEncoding string `header:"Content-Encoding"`
	Body            []byte
}

// register adds an operation that answers with a file.
func register(api *httpapi.API, op httpapi.Operation, contentType string, find find) {
	op.Cache = httpapi.Shared
	op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: contentOf(contentType)}}
	if contentType != "" {
		httpapi.Register(api, op, func(ctx context.Context, in *pageInput) (*fileOutput, error) {
			return answer(ctx, find, "", contentType, in.AcceptEncoding)
		})
		return
	}
	httpapi.Register(api, op.WithProblems(errNoFile), func(ctx context.Context, in *fileInput) (*fileOutput, error) {
		return answer(ctx, find, in.File, contentTypeOf(in.File), in.AcceptEncoding)
	})
}

// contentOf documents the media type of a page, or all that an asset may have.
func contentOf(contentType string) map[string]*huma.MediaType {
	kinds := []string{"text/javascript", "text/css", "image/png", "text/html"}
	if contentType != "" {
		kind, _, _ := strings.Cut(contentType, ";")
		kinds = []string{kind}
	}
	out := make(map[string]*huma.MediaType)
	for _, kind := range kinds {
		out[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		if kind == "application/json" {
			out[kind].Schema = &huma.Schema{Type: huma.TypeObject}
		}
	}
	return out
}

func answer(ctx context.Context, find find, file, contentType, accepted string) (*fileOutput, error) {
	a, err := find(ctx, file)
	if err != nil {
		return nil, err
	}
	out := &fileOutput{ContentType: contentType, Body: a.body}
	if strings.HasPrefix(contentType, "text/html") {
		out.Policy = pagePolicy
	}
	switch {
	case !a.packed:
	case strings.Contains(accepted, "gzip"):
		out.ContentEncoding = "gzip"
	default:
		if out.Body, err = unpack(a.body); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack asset: %w", err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("unpack asset: %w", err)
	}
	return body, nil
}

func contentTypeOf(file string) string {
	switch {
	case strings.HasSuffix(file, ".js"):
		return "text/javascript; charset=utf-8"
	case strings.HasSuffix(file, ".css"):
		return "text/css; charset=utf-8"
	case strings.HasSuffix(file, ".png"):
		return "image/png"
	case strings.HasSuffix(file, ".html"):
		return "text/html; charset=utf-8"
	}
	return http.DetectContentType(nil)
}
