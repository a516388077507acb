package ogc

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/lafaekstreet/backend/shared/httpapi"
)

// object is a part of an OpenAPI document.
type object = map[string]any

// api answers with the description of this API: OpenAPI 3.0, with the paths of the collections that there are.
func (g *Group) api(ctx context.Context, in *describedInput) (*output, error) {
	v, err := g.view(ctx, in.Format)
	if err != nil {
		return nil, err
	}
	e, err := g.extents(ctx)
	if err != nil {
		return nil, err
	}
	all := operationsOf(e.present())
	return g.answer(v, mediaOpenAPI, openAPI(v.base, e.present(), all), func() content { return v.pageOfAPI(all) })
}

// operation is a GET request of this API.
type operation struct {
	path, id, summary string
	mediaType, schema string // of the answer beside the page
	parameters        []parameter
	missing           bool // the answer may be 404
}

// operationsOf lists the operations, with those of each collection.
func operationsOf(all []collection) []operation {
	f := sharedParameters()["f"]
	out := []operation{
		{path: "/", id: "landingPage", summary: "Landing page", mediaType: mediaJSON, schema: "landingPage", parameters: []parameter{f}},
		{path: "/conformance", id: "conformance", summary: "Conformance classes", mediaType: mediaJSON, schema: "confClasses", parameters: []parameter{f}},
		{path: "/api", id: "api", summary: "This description", mediaType: mediaOpenAPI, parameters: []parameter{f}},
		{path: "/collections", id: "collections", summary: "The collections", mediaType: mediaJSON, schema: "collections", parameters: []parameter{f}},
	}
	for _, c := range all {
		out = append(out, c.operations()...)
	}
	return out
}

func (c collection) operations() []operation {
	shared := sharedParameters()
	features := []parameter{shared["f"], shared["limit"], shared["bbox"], shared["bbox-crs"], shared["datetime"], shared["cursor"]}
	for _, filter := range c.filters {
		features = append(features, filterParameters()[filter])
	}
	return []operation{
		{path: c.path(), id: c.id, summary: "The collection " + c.id, mediaType: mediaJSON, schema: "collection", parameters: []parameter{shared["f"]}, missing: c.imported()},
		{path: c.path() + "/items", id: c.id + "Items", summary: "The features of " + c.id, mediaType: mediaGeoJSON, schema: c.id + "Page", parameters: features, missing: c.imported()},
		{path: c.path() + "/items/{featureId}", id: c.id + "Item", summary: "One feature of " + c.id, mediaType: mediaGeoJSON, schema: c.id + "Feature",
			parameters: []parameter{shared["featureId"], shared["f"]}, missing: true},
	}
}

// parameter is a parameter of an operation.
type parameter struct {
	name, in, description string
	schema                object
	shared                bool // a component of the document, which QGIS and GDAL look for
}

func (p parameter) describe() object {
	style := "form"
	if p.in == "path" {
		style = "simple"
	}
	return object{"name": p.name, "in": p.in, "description": p.description, "required": p.in == "path", "schema": p.schema, "style": style, "explode": false}
}

func text() object { return object{"type": "string"} }

// sharedParameters are those of several operations, by name.
func sharedParameters() map[string]parameter {
	numbers := func(n int) object { return object{"minItems": n, "maxItems": n} }
	out := make(map[string]parameter)
	for _, p := range []parameter{
		{"f", "query", "The encoding: json or html. Without it the header Accept decides.", object{"type": "string", "enum": []string{"json", "html"}}, true},
		{"limit", "query", "Features on a page. A larger number than the maximum counts as the maximum.",
			object{"type": "integer", "minimum": 1, "maximum": maxLimit, "default": defaultLimit}, true},
		{"bbox", "query", "Only features that touch this box: minLon,minLat,maxLon,maxLat in degrees (CRS84), or six numbers with the heights, which do not count. minLon above maxLon crosses the antimeridian.",
			object{"type": "array", "minItems": 4, "maxItems": 6, "oneOf": []object{numbers(4), numbers(6)}, "items": object{"type": "number"}}, true},
		{"bbox-crs", "query", "The reference system of bbox.", object{"type": "string", "enum": []string{crs84}, "default": crs84}, true},
		{"datetime", "query", "Only reports that came in at this instant (RFC 3339) or in this interval, such as 2026-11-01T00:00:00Z/2026-11-30T23:59:59Z. One end may be open: .. or nothing. Areas have no time; all of them match.",
			text(), true},
		{"cursor", "query", "Where the page begins: part of the link next.", text(), true},
		{"featureId", "path", "The id of a feature.", text(), true},
	} {
		out[p.name] = p
	}
	return out
}

// filterParameters are those that choose features by a property, by name. They are of the type string, because QGIS uses no other
// type for its own filters.
func filterParameters() map[string]parameter {
	out := make(map[string]parameter)
	for name, description := range map[string]string{
		"issue_type": "One or several, comma-separated.", "status": "One or several of pending, verified, in_progress, fixed and duplicate, comma-separated.",
		"severity": "One or several of low, medium, high and critical, comma-separated. Reports without a verdict have none.", "municipality": "Code or name, in any of its spellings.",
		"district": "Administrative post.", "suco": "Village or quarter.", "source": "One or several of app, web, assisted, open311 and import, comma-separated.",
		"name": "The name, in any case, with or without accents.", "code": "The code.", "parent": "The name of the unit above.",
	} {
		out[name] = parameter{name, "query", description, text(), false}
	}
	return out
}

// openAPI is the document of the operations; base is the address of the landing page.
func openAPI(base string, all []collection, operations []operation) object {
	paths, parameters := object{}, object{}
	for name, p := range sharedParameters() {
		parameters[name] = p.describe()
	}
	for _, o := range operations {
		paths[o.path] = object{"get": o.describe()}
	}
	return object{
		"openapi":    "3.0.3",
		"info":       object{"title": "LafaekStreet: OGC API - Features", "version": httpapi.Version, "description": "Reports and areas for GIS programs, read only. Nobody signs in."},
		"servers":    []object{{"url": base}},
		"paths":      paths,
		"components": object{"parameters": parameters, "schemas": schemas(all), "responses": problemResponses()},
	}
}

func (o operation) describe() object {
	var parameters []object
	for _, p := range o.parameters {
		if p.shared {
			parameters = append(parameters, object{"$ref": "#/components/parameters/" + p.name})
		} else {
			parameters = append(parameters, p.describe())
		}
	}
	schema := object{"type": "object"}
	if o.schema != "" {
		schema = reference(o.schema)
	}
	responses := object{
		"200": object{"description": "As asked for", "content": object{o.mediaType: object{"schema": schema}, mediaHTML: object{"schema": text()}}},
		"304": object{"description": "As If-None-Match names it; without a body"},
	}
	for _, status := range o.problems() {
		responses[strconv.Itoa(status)] = object{"$ref": "#/components/responses/" + strconv.Itoa(status)}
	}
	return object{"operationId": o.id, "summary": o.summary, "parameters": parameters, "responses": responses}
}

// problems are the statuses of errors that the operation may answer with, besides those of a gateway before this API.
func (o operation) problems() []int {
	out := []int{http.StatusBadRequest, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if o.missing {
		out = append(out, http.StatusNotFound)
	}
	slices.Sort(out)
	return out
}

func reference(schema string) object { return object{"$ref": "#/components/schemas/" + schema} }

func problemResponses() object {
	out := object{}
	for status, description := range map[int]string{
		http.StatusBadRequest: "A parameter is unknown or invalid", http.StatusNotFound: "There is no such collection or feature", http.StatusTooManyRequests: "Too many requests: see Retry-After",
		http.StatusInternalServerError: "A fault of the server", http.StatusServiceUnavailable: "Try again later: see Retry-After",
	} {
		out[strconv.Itoa(status)] = object{"description": description, "content": object{
			"application/problem+json": object{"schema": reference("problem")}, mediaHTML: object{"schema": text()}}}
	}
	return out
}

// schemas are those of the answers, and two for each collection: of a page and of a feature.
func schemas(all []collection) object {
	out := maps.Clone(commonSchemas())
	for _, c := range all {
		properties := object{}
		for _, f := range c.fields {
			p := object{"type": f.kind, "nullable": true}
			if f.format != "" {
				p["format"] = f.format
			}
			if f.description != "" {
				p["description"] = f.description
			}
			properties[f.name] = p
		}
		out[c.id+"Feature"] = withMembers(object{"type": word("Feature"), "id": text(), "geometry": reference("geometry"),
			"properties": object{"type": "object", "properties": properties}, "links": listOf("link")}, "type", "id", "geometry", "properties")
		out[c.id+"Page"] = withMembers(object{"type": word("FeatureCollection"), "features": listOf(c.id + "Feature"), "links": listOf("link"),
			"timeStamp": object{"type": "string", "format": "date-time"}, "numberReturned": object{"type": "integer", "minimum": 0},
			"numberMatched": object{"type": "integer", "minimum": 0, "description": "Left out where there are too many to count"}}, "type", "features", "links", "numberReturned")
	}
	return out
}
