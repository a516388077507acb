// Package agency is what answers show of an agency.
package agency

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Agency repairs things.
type Agency struct {
	ID                uuid.UUID      `json:"id"`
	Code              string         `json:"code" example:"OP-DILI"`
	Name              string         `json:"name" example:"Public Works Dili"`
	NameTet           string         `json:"name_tet" example:"Obras Públikas Dili"`
	NamePt            string         `json:"name_pt" example:"Obras Públicas Díli"`
	AgencyType        string         `json:"agency_type" enum:"municipal,national,contractor"`
	MunicipalityCodes []string       `json:"municipality_codes" doc:"Where it works; empty for everywhere" example:"[\"TL-DI\"]"`
	IssueTypes        []string       `json:"issue_types" doc:"What it repairs; empty for everything" example:"[\"pothole\"]"`
	ContactEmail      *string        `json:"contact_email" doc:"Gets a mail for each report that is assigned to the agency, or is overdue"`
	Area              *Area          `json:"area" doc:"Where it works, narrower than its municipalities. null for all of them; lists also leave out an area of more than 200 points"`
	AreaPoints        int            `json:"area_points" doc:"Points of the area; 0 without one"`
	CreatedAt         timestamp.Time `json:"created_at"`
	UpdatedAt         timestamp.Time `json:"updated_at"`
}

// MaxListedPoints is the most points of an area that lists show.
const MaxListedPoints = 200

// Area is a GeoJSON MultiPolygon in degrees WGS 84, longitude first.
type Area struct{ JSON json.RawMessage }

// MarshalJSON implements json.Marshaler.
func (a Area) MarshalJSON() ([]byte, error) { return a.JSON, nil }

// Schema implements huma.SchemaProvider.
func (Area) Schema(huma.Registry) *huma.Schema {
	coordinates := &huma.Schema{Type: huma.TypeNumber, Format: "double"}
	for range 4 { // polygons, rings, points, numbers
		coordinates = &huma.Schema{Type: huma.TypeArray, Items: coordinates}
	}
	return &huma.Schema{Type: huma.TypeObject, Nullable: true, AdditionalProperties: true, Description: "GeoJSON MultiPolygon in degrees WGS 84, longitude first",
		Properties: map[string]*huma.Schema{"type": {Type: huma.TypeString, Enum: []any{"MultiPolygon"}}, "coordinates": coordinates}}
}

// Columns of agencies g are what Scan reads: the whole area of one agency. ListColumns leave out a large one.
const (
	Columns     = columns + `ST_AsGeoJSON(g.area, 7)`
	ListColumns = columns + `CASE WHEN ST_NPoints(g.area) <= 200 THEN ST_AsGeoJSON(g.area, 7) END`

	columns = `g.id, g.code, g.name, g.name_tet, g.name_pt, g.agency_type, g.municipality_codes, g.issue_types, g.contact_email,
	g.created_at, g.updated_at, coalesce(ST_NPoints(g.area), 0), `
)

// Scan reads Columns or ListColumns.
func Scan(row pgx.CollectableRow) (Agency, error) {
	var a Agency
	targets := a.Targets()
	err := row.Scan(targets...)
	return a, err
}

// Targets are the scan destinations of Columns.
func (a *Agency) Targets() []any {
	return []any{&a.ID, &a.Code, &a.Name, &a.NameTet, &a.NamePt, &a.AgencyType, &a.MunicipalityCodes, &a.IssueTypes, &a.ContactEmail,
		&a.CreatedAt.Time, &a.UpdatedAt.Time, &a.AreaPoints, areaTarget{&a.Area}}
}

// areaTarget reads a GeoJSON text, or null, into an area.
type areaTarget struct{ area **Area }

// Scan implements sql.Scanner.
func (t areaTarget) Scan(value any) error {
	text, _ := value.(string)
	if *t.area = nil; text != "" {
		*t.area = &Area{JSON: json.RawMessage(text)}
	}
	return nil
}
