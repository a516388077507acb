package admin

import (
	"bytes"
	"encoding/json"
	"math"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/agency"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

// maxAreaPoints is the most points of an area.
const maxAreaPoints = 5000

// areaBody is an area as sent. It tells a null, which clears the area, from a member that is absent.
type areaBody struct {
	raw json.RawMessage // nil where it is absent
}

// UnmarshalJSON implements json.Unmarshaler.
func (b *areaBody) UnmarshalJSON(raw []byte) error {
	b.raw = bytes.Clone(raw)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (b areaBody) MarshalJSON() ([]byte, error) { return b.raw, nil }

// Schema implements huma.SchemaProvider. The geometry has no type here, so that huma takes anything and check says what is wrong.
func (areaBody) Schema(huma.Registry) *huma.Schema {
	list := func(of *huma.Schema) *huma.Schema { return &huma.Schema{Type: huma.TypeArray, Items: of} }
	number := &huma.Schema{Type: huma.TypeNumber}
	position := &huma.Schema{AnyOf: []*huma.Schema{number, list(number)}} // a Polygon has one list less than a MultiPolygon
	geometry := &huma.Schema{Properties: map[string]*huma.Schema{
		"type":        {Type: huma.TypeString, Enum: []any{"Polygon", "MultiPolygon"}},
		"coordinates": list(list(list(position))),
	}}
	return &huma.Schema{
		Description: "GeoJSON Polygon or MultiPolygon in degrees WGS 84, longitude first, of at most 5,000 points: where the agency works, narrower than its municipalities. null clears it",
		AnyOf:       []*huma.Schema{geometry, {Type: "null"}},
	}
}

func (b areaBody) sent() bool { return b.raw != nil }

func (b areaBody) clears() bool { return string(b.raw) == "null" }

// geometry is the GeoJSON that was sent.
type geometry struct {
	Type        string          `json:"type"`
	Coordinates json.RawMessage `json:"coordinates"`
}

// check returns the area as a GeoJSON MultiPolygon, which PostGIS reads. It fails with a 422 for anything but polygons with closed
// rings whose points lie in box.
func (b areaBody) check(box report.Area) (string, error) {
	var g geometry
	if err := json.Unmarshal(b.raw, &g); err != nil {
		return "", problem.InvalidField("area", "expected a GeoJSON Polygon or MultiPolygon")
	}
	var polygons [][][][]float64
	var err error
	switch g.Type {
	case "Polygon":
		polygons = make([][][][]float64, 1)
		err = json.Unmarshal(g.Coordinates, &polygons[0])
	case "MultiPolygon":
		err = json.Unmarshal(g.Coordinates, &polygons)
	default:
		return "", problem.InvalidField("area", "expected a GeoJSON Polygon or MultiPolygon")
	}
	if err != nil || len(polygons) == 0 {
		return "", problem.InvalidField("area", "expected a GeoJSON Polygon or MultiPolygon")
	}
	if err := checkRings(polygons, box); err != nil {
		return "", err
	}
	raw, err := json.Marshal(map[string]any{"type": "MultiPolygon", "coordinates": polygons})
	return string(raw), err
}

// checkRings checks the rings of polygons and cuts heights off their points.
func checkRings(polygons [][][][]float64, box report.Area) error {
	points := 0
	for _, rings := range polygons {
		if len(rings) == 0 {
			return problem.InvalidField("area", "expected a ring in each polygon")
		}
		for _, ring := range rings {
			if points += len(ring); points > maxAreaPoints {
				return problem.InvalidField("area", "expected at most 5000 points")
			}
			if err := checkRing(ring, box); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkRing(ring [][]float64, box report.Area) error {
	for i, p := range ring {
		if len(p) >= 2 && !box.Has(p[1], p[0]) && box.Has(p[0], p[1]) {
			return problem.InvalidField("area", "expected the longitude first")
		}
		if len(p) < 2 || len(p) > 3 || math.Abs(p[0]) > 180 || math.Abs(p[1]) > 90 {
			return problem.InvalidField("area", "expected points of longitude and latitude in degrees")
		}
		if !box.Has(p[1], p[0]) {
			return problem.InvalidField("area", "outside the area of this service")
		}
		ring[i] = p[:2]
	}
	if len(ring) < 4 || ring[0][0] != ring[len(ring)-1][0] || ring[0][1] != ring[len(ring)-1][1] {
		return problem.InvalidField("area", "expected rings of at least 4 points that end where they begin")
	}
	return nil
}

// checkedArea is an area as PostGIS has it.
type checkedArea struct {
	GeoJSON string
	Points  int
	Valid   bool
	Reason  string // why it is not valid
	Inside  bool   // it lies in the municipalities of the agency
}

// askArea reads an area with PostGIS. codes are the municipalities of the agency; none stands for all. An area lies inside if the
// boxes around the municipalities, each with a margin of 5 km, hold all of it, and if nine tenths of it lie in their boundaries or
// at most 2 km from them. Before the boundaries were imported, the boxes alone count. A kilometre is 0.009 degrees.
func askArea(p database.Pipeline, geoJSON string, codes []string) *database.Ask[checkedArea] {
	const q = `
		WITH a AS (SELECT ST_Multi(ST_SetSRID(ST_GeomFromGeoJSON($1), 4326)) AS area),
		     boxes AS (SELECT ST_Union(ST_Expand(ST_MakeEnvelope(min_lon, min_lat, max_lon, max_lat, 4326), 0.045)) AS area
		                 FROM municipalities WHERE $2::text[] = '{}' OR code = ANY($2)),
		     m AS (SELECT b.area FROM boundaries b WHERE b.level = 'municipality' AND ($2::text[] = '{}' OR b.code = ANY($2))),
		     near AS (SELECT ST_Union(ST_Buffer(ST_MakeValid(ST_ClipByBox2D(m.area, ST_Expand(a.area, 0.03)::box2d)), 0.018, 2)) AS area FROM m, a)
		SELECT ST_AsGeoJSON(a.area, 7), ST_NPoints(a.area), ST_IsValid(a.area) AND ST_Area(a.area) > 0, coalesce(ST_IsValidReason(a.area), ''),
		       NOT ST_IsValid(a.area) OR ST_Covers(boxes.area, a.area) AND
		       (NOT EXISTS (SELECT FROM m) OR coalesce(ST_Area(ST_Intersection(near.area, a.area)), 0) >= 0.9 * ST_Area(a.area))
		FROM a, boxes, near`
	return database.AskRow(p, pgx.RowToStructByPos[checkedArea], q, geoJSON, codes)
}

// areaOf is the area that answers show; it fails for one that is not valid, or lies outside the municipalities of the agency.
func (c checkedArea) areaOf() (*agency.Area, error) {
	switch {
	case !c.Valid:
		return nil, problem.InvalidField("area", "expected a polygon that does not cross itself and covers some ground")
	case !c.Inside:
		return nil, problem.InvalidField("area", "lies outside the municipalities of the agency")
	}
	return &agency.Area{JSON: json.RawMessage(c.GeoJSON)}, nil
}
