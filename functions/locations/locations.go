// Package locations serves the municipalities of Timor-Leste, the address of a point, and the search of places by name.
package locations

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/service"
)

const name = "locations"

// Locations serves the routes of this package.
type Locations struct {
	db       *database.DB
	resolver *geocoding.Resolver
}

// New returns the group.
func New(kit *service.Kit, cfg geocoding.Config) (*Locations, error) {
	return &Locations{kit.DB, geocoding.NewResolver(kit.DB, geocoding.NewNominatim(cfg), kit.Log, kit.Metrics)}, nil
}

// Open makes the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, name, env, New)
}

// Name implements httpapi.Group.
func (*Locations) Name() string { return name }

// maxWait is how long a request waits for a turn at the geocoder. After it the answer has what the boundaries know: on a bad
// connection a quick answer without a street is better than a late one.
const maxWait = 1500 * time.Millisecond

// Register implements httpapi.Group.
func (l *Locations) Register(a *httpapi.API) {
	op := func(path, summary, description string) httpapi.Operation {
		return httpapi.Operation{Operation: huma.Operation{
			Method: http.MethodGet, Path: path, Tags: []string{"locations"}, Summary: summary, Description: description,
		}}
	}
	httpapi.Register(a, op("/api/v1/locations/municipalities", "The 14 municipalities",
		"With names in three languages, centre, bounding box and the number of reports."), l.municipalities)
	reverse := op("/api/v1/locations/reverse-geocode", "The address of a point",
		"From imported boundaries where there are any, else from the geocoder. A point without a known address is not an error: every part is null and `source` is `none`.")
	reverse.Aliases = map[string]string{"lat": "latitude", "lon": "longitude", "lng": "longitude"}
	httpapi.Register(a, reverse, l.reverse)
	search := op("/api/v1/locations/search", "Places by name", "Municipalities and imported boundaries first, in any spelling; then places that the geocoder finds.")
	search.Aliases = map[string]string{"query": "q"}
	httpapi.Register(a, search, l.search)
}

// Municipality is one of the 14 municipalities.
type Municipality struct {
	ID          string     `json:"id" doc:"The same as code" example:"TL-DI"`
	Code        string     `json:"code" example:"TL-DI"`
	Name        string     `json:"name" example:"Dili"`
	NameTet     string     `json:"name_tet" example:"Dili"`
	NamePt      string     `json:"name_pt" example:"Díli"`
	Latitude    float64    `json:"latitude" doc:"Of its centre, degrees WGS 84"`
	Longitude   float64    `json:"longitude" doc:"Of its centre, degrees WGS 84"`
	BBox        [4]float64 `json:"bbox" doc:"minLon, minLat, maxLon, maxLat in degrees"`
	ReportCount int        `json:"report_count"`
}

type municipalitiesOutput struct{ Body []Municipality }

func (l *Locations) municipalities(ctx context.Context, _ *struct{}) (*municipalitiesOutput, error) {
	const query = `
		SELECT code, code, name, name_tet, name_pt, latitude, longitude, min_lon, min_lat, max_lon, max_lat,
		       coalesce((SELECT sum(c.reports) FROM (SELECT municipality_code, reports FROM report_totals
		                 UNION ALL SELECT municipality_code, reports FROM report_total_changes) c WHERE c.municipality_code = m.code), 0)
		  FROM municipalities m ORDER BY name`
	rows, err := l.db.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("read municipalities: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Municipality, error) {
		var m Municipality
		err := row.Scan(&m.ID, &m.Code, &m.Name, &m.NameTet, &m.NamePt, &m.Latitude, &m.Longitude,
			&m.BBox[0], &m.BBox[1], &m.BBox[2], &m.BBox[3], &m.ReportCount)
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("read municipalities: %w", err)
	}
	return &municipalitiesOutput{all}, nil
}

type reverseInput struct {
	Latitude  float64 `query:"latitude" required:"true" minimum:"-90" maximum:"90" doc:"Degrees WGS 84 (alias: lat)" example:"-8.5569"`
	Longitude float64 `query:"longitude" required:"true" minimum:"-180" maximum:"180" doc:"Degrees WGS 84 (aliases: lon, lng)" example:"125.5603"`
}

// Place is a point and its address.
type Place struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	geocoding.Address
}

type reverseOutput struct{ Body Place }

func (l *Locations) reverse(ctx context.Context, in *reverseInput) (*reverseOutput, error) {
	address, err := l.resolver.Reverse(ctx, in.Latitude, in.Longitude, maxWait)
	if err != nil && !errors.Is(err, geocoding.ErrNoAnswer) {
		return nil, err
	}
	return &reverseOutput{Place{in.Latitude, in.Longitude, address}}, nil
}

type searchInput struct {
	Query string `query:"q" required:"true" minLength:"1" maxLength:"100" doc:"A name or part of one" example:"Baukau"`
	Limit int    `query:"limit" minimum:"1" maximum:"10" default:"5"`
}

type searchOutput struct{ Body []geocoding.Found }

func (l *Locations) search(ctx context.Context, in *searchInput) (*searchOutput, error) {
	query := strings.TrimSpace(in.Query)
	if query == "" {
		return nil, problem.InvalidField("q", "expected a name")
	}
	found, err := l.resolver.Search(ctx, query, in.Limit, maxWait)
	if err != nil {
		return nil, err
	}
	if found == nil {
		found = []geocoding.Found{}
	}
	return &searchOutput{found}, nil
}
