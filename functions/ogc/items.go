package ogc

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// Features on a page. QGIS asks for 1,000 at once where a server allows as many.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// maxBytes bounds the features of one page, in bytes of JSON: a function may answer with 6 MB. A page that would be larger has fewer
// features than its limit, and a link to the next page.
const maxBytes = 3_000_000

type itemsInput struct {
	Collection string `path:"collection" doc:"The id of a collection" example:"reports"`
	Format
	Limit    string `query:"limit" doc:"Features on a page, 1 to 1000; a larger number counts as 1000" example:"100"`
	BBox     string `query:"bbox" doc:"minLon,minLat,maxLon,maxLat in degrees, or six numbers with the heights, which do not count. minLon above maxLon crosses the antimeridian" example:"125.4,-8.7,125.8,-8.4"`
	BBoxCRS  string `query:"bbox-crs" doc:"The reference system of bbox: CRS84 alone" example:"http://www.opengis.net/def/crs/OGC/1.3/CRS84"`
	DateTime string `query:"datetime" doc:"When reports came in: an instant (RFC 3339) or an interval of two, of which one may be open (.. or nothing)" example:"2026-11-01T00:00:00Z/.."`
	Cursor   string `query:"cursor" doc:"Where the page begins; part of the link next"`
	Filters
}

// Filters choose features by their properties. Each collection takes some of them.
type Filters struct {
	IssueType    string `query:"issue_type" doc:"Of reports: one or several, comma-separated" example:"pothole"`
	Status       string `query:"status" doc:"Of reports: one or several, comma-separated" example:"verified,in_progress"`
	Severity     string `query:"severity" doc:"Of reports with a verdict: one or several, comma-separated" example:"high,critical"`
	Municipality string `query:"municipality" doc:"Of reports: code or name, in any of its spellings" example:"Dili"`
	District     string `query:"district" doc:"Of reports: administrative post" example:"Dom Aleixo"`
	Suco         string `query:"suco" doc:"Of reports: village or quarter" example:"Comoro"`
	Source       string `query:"source" doc:"Of reports: app, web, assisted, open311 or import; one or several, comma-separated" example:"open311"`
	Name         string `query:"name" doc:"Of areas: the name, in any case and with or without accents" example:"Baucau"`
	Code         string `query:"code" doc:"Of areas" example:"TL-BA"`
	Parent       string `query:"parent" doc:"Of posts and sucos: the name of the unit above" example:"Dili"`
}

// given are the filters of a request that are not empty, by name.
func (f Filters) given() map[string]string {
	out := map[string]string{"issue_type": f.IssueType, "status": f.Status, "severity": f.Severity, "municipality": f.Municipality, "district": f.District,
		"suco": f.Suco, "source": f.Source, "name": f.Name, "code": f.Code, "parent": f.Parent}
	for name, value := range out {
		if value == "" {
			delete(out, name)
		}
	}
	return out
}

// selection is what a request asks for of a collection, checked.
type selection struct {
	Filters
	limit  int
	box    string // minLon,minLat,maxLon,maxLat; empty for everywhere
	time   period
	cursor string
}

// selection reads the parameters. It fails for a filter that the collection does not have, as for any unknown parameter.
func (in *itemsInput) selection(c collection) (selection, error) {
	var unknown []string
	for name := range in.given() {
		if !slices.Contains(c.filters, name) {
			unknown = append(unknown, name)
		}
	}
	if unknown != nil {
		return selection{}, httpapi.UnknownParameters(problem.BadRequest, unknown...)
	}
	out := selection{Filters: in.Filters, cursor: in.Cursor}
	var ok bool
	if out.limit, ok = parseLimit(in.Limit); !ok {
		return selection{}, problem.InvalidField("limit", "expected a number from 1 on")
	}
	if out.box, ok = parseBox(in.BBox); !ok {
		return selection{}, problem.InvalidField("bbox", "expected minLon,minLat,maxLon,maxLat within -180…180 and -90…90")
	}
	if in.BBoxCRS != "" && in.BBoxCRS != crs84 {
		return selection{}, problem.InvalidField("bbox-crs", "expected http://www.opengis.net/def/crs/OGC/1.3/CRS84")
	}
	if out.time, ok = parsePeriod(in.DateTime); !ok {
		return selection{}, problem.InvalidField("datetime", "expected an RFC 3339 date-time, or two with a slash between them, of which one may be ..")
	}
	return out, nil
}

// query is the parameters of the request but for f, for links.
func (in *itemsInput) query() url.Values {
	out := url.Values{}
	all := in.given()
	all["limit"], all["bbox"], all["bbox-crs"], all["datetime"], all["cursor"] = in.Limit, in.BBox, in.BBoxCRS, in.DateTime, in.Cursor
	for name, value := range all {
		if value != "" {
			out.Set(name, value)
		}
	}
	return out
}

// parseLimit reads a limit. A number above maxLimit is maxLimit, however long.
func parseLimit(s string) (int, bool) {
	if s == "" {
		return defaultLimit, true
	}
	digits := strings.TrimLeft(s, "0")
	if strings.Trim(s, "0123456789") != "" || digits == "" {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return maxLimit, true
	}
	return min(n, maxLimit), true
}

// parseBox reads four numbers, or six with the lowest and the highest height. It returns four: features have no height, so every
// height includes them.
func parseBox(s string) (string, bool) {
	if s == "" {
		return "", true
	}
	parts := strings.Split(s, ",")
	if len(parts) == 6 {
		low, errLow := strconv.ParseFloat(strings.TrimSpace(parts[2]), 64)
		high, errHigh := strconv.ParseFloat(strings.TrimSpace(parts[5]), 64)
		if errLow != nil || errHigh != nil || !(low <= high) { // not: low > high, which NaN passes
			return "", false
		}
		parts = []string{parts[0], parts[1], parts[3], parts[4]}
	}
	s = strings.Join(parts, ",")
	_, ok := reportread.ParseBox(s)
	return s, ok
}

// featurePage is one page of a collection.
type featurePage struct {
	features []Feature
	matched  *int   // on all pages; nil where nobody counted them
	next     string // cursor of the next page; empty on the last
}

// FeatureCollection is a page of features, as the schema featureCollectionGeoJSON.yaml of the standard says.
type FeatureCollection struct {
	Type           string            `json:"type"`
	TimeStamp      string            `json:"timeStamp"`
	NumberMatched  *int              `json:"numberMatched,omitempty"`
	NumberReturned int               `json:"numberReturned"`
	Links          []Link            `json:"links"`
	Features       []json.RawMessage `json:"features"`
}

func (g *Group) items(ctx context.Context, in *itemsInput) (*output, error) {
	v, c, err := g.viewOf(ctx, in.Format, in.Collection)
	if err != nil {
		return nil, err
	}
	s, err := in.selection(c)
	if err != nil {
		return nil, err
	}
	read := g.areas
	if c.id == reportsID {
		read = g.reports
	}
	found, err := read(ctx, c, s)
	if err != nil {
		return nil, err
	}
	out := FeatureCollection{Type: "FeatureCollection", TimeStamp: timePlace, NumberMatched: found.matched, NumberReturned: len(found.features),
		Links: v.linksOfItems(c, in, found.next), Features: []json.RawMessage{}}
	for _, f := range found.features {
		out.Features = append(out.Features, f.raw)
	}
	return g.answer(v, mediaGeoJSON, out, func() content { return v.pageOfItems(c, out, found.features) })
}

func (v view) linksOfItems(c collection, in *itemsInput, next string) []Link {
	path, query := c.path()+"/items", in.query()
	links := append(v.self(mediaGeoJSON, path, query), v.link("collection", mediaJSON, c.path(), "collection"))
	if next == "" {
		return links
	}
	query.Set("cursor", next)
	return append(links, Link{v.address(path, query, v.f), "next", links[0].Type, v.t("next")})
}
