// Package ogc serves the reports, the municipalities and, where their boundaries were imported, the administrative posts and
// sucos by OGC API - Features - Part 1: Core (OGC 17-069r4), for GIS programs such as QGIS. Everything is public and read only.
package ogc

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/weblink"
)

const name = "ogc"

// root is the path of the landing page. All other paths are below it.
const root = "/ogc"

// Group serves the routes of this package.
type Group struct {
	db       *database.DB
	clock    timestamp.Clock
	reader   *reportread.Reader
	places   *geocoding.Municipalities
	weblinks weblink.Base
}

// New returns the group.
func New(kit *service.Kit, _ struct{}) (*Group, error) {
	places := geocoding.NewMunicipalities(kit.DB)
	return &Group{db: kit.DB, clock: kit.Clock, places: places, weblinks: kit.Links,
		reader: reportread.NewReader(kit.DB, noPictures{}, places, ledger.Config{})}, nil
}

// Open makes the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, name, env, New)
}

// noPictures signs no address of a picture: features have none.
type noPictures struct{}

// Link implements reportread.Links.
func (noPictures) Link(context.Context, string) (string, error) { return "", nil }

// Name implements httpapi.Group.
func (*Group) Name() string { return name }

// Register implements httpapi.Group.
func (g *Group) Register(a *httpapi.API) {
	httpapi.Register(a, read("", "Landing page", "Links to the parts of this API.", mediaJSON), g.landing)
	httpapi.Register(a, read("/conformance", "Conformance", "The conformance classes of OGC API - Features that this API has.", mediaJSON), g.conformance)
	httpapi.Register(a, read("/api", "Description of this API", "An OpenAPI 3.0 document of its own, and the same as a page.", mediaOpenAPI), g.api)
	httpapi.Register(a, read("/collections", "Collections", "What feature collections there are, with their extents.", mediaJSON), g.collections)
	httpapi.Register(a, read("/collections/{collection}", "Collection", "One feature collection.", mediaJSON).WithProblems(errNotFound), g.collection)
	httpapi.Register(a, read("/collections/{collection}/items", "Features",
		"A page of the features of a collection, newest reports first. Follow the link next to read on: the pages stay what they are while new reports come in.", mediaGeoJSON).
		WithProblems(errNotFound), g.items)
	httpapi.Register(a, read("/collections/{collection}/items/{feature}", "Feature", "One feature.", mediaGeoJSON).WithProblems(errNotFound), g.item)
}

// read is an operation that anybody may call. It answers with a JSON media type or with a page.
func read(path, summary, description, mediaType string) httpapi.Operation {
	object := &huma.Schema{Type: huma.TypeObject}
	return httpapi.Operation{
		Operation: huma.Operation{Method: http.MethodGet, Path: root + path, Tags: []string{name}, Summary: summary, Description: description,
			Responses: map[string]*huma.Response{"200": {Description: "As the parameter f or the header Accept asks", Content: map[string]*huma.MediaType{
				mediaType: {Schema: object}, mediaHTML: {Schema: &huma.Schema{Type: huma.TypeString}},
			}}}},
		Access: httpapi.Public, Cache: httpapi.Shared, Limit: admission.LimitView, VaryCookie: true, VaryAccept: true, OwnTag: true,
	}
}

// errNotFound is for a collection or a feature that there is not, or that not everybody may see.
var errNotFound = problem.New(problem.NotFound, "not_found")
