// Package public serves what may be read without signing in: lists of reports, the map and its tiles, statistics, the public
// log, ledger proofs, open data, and the page that checks receipts.
package public

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/weblink"
)

const name = "public"

// Public serves the routes of this package.
type Public struct {
	db     *database.DB
	clock  timestamp.Clock
	reader *reportread.Reader
	places *geocoding.Municipalities
	links  *storage.Links
	// weblinks are where people reach this backend.
	weblinks weblink.Base

	ledger ledger.Config
	mirror *ledger.Mirror
	log    publicLog
}

// Name implements httpapi.Group.
func (*Public) Name() string { return name }

// Register implements httpapi.Group.
func (p *Public) Register(a *httpapi.API) {
	p.registerReports(a)
	p.registerRemovals(a)
	p.registerFeed(a)
	p.registerImage(a)
	p.registerQR(a)
	p.registerMap(a)
	p.registerSketch(a)
	p.registerPlaces(a)
	p.registerStatistics(a)
	p.registerLedger(a)
	p.registerLog(a)
	p.registerExports(a)
	p.registerVerifyPage(a)
}

// read returns an operation that anybody may call and whose answer any cache may keep for a minute.
func read(path, summary, description string) httpapi.Operation {
	return httpapi.Operation{
		Operation: huma.Operation{Method: http.MethodGet, Path: path, Tags: []string{"public"}, Summary: summary, Description: description},
		Access:    httpapi.Public, Cache: httpapi.Shared, Limit: admission.LimitView,
	}
}

// content documents an answer that is not plain JSON, in one or more media types.
func content(o *httpapi.Operation, description string, mediaTypes ...string) {
	documented := make(map[string]*huma.MediaType)
	for _, mediaType := range mediaTypes {
		documented[mediaType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		if strings.HasSuffix(mediaType, "json") {
			documented[mediaType].Schema = &huma.Schema{Type: huma.TypeObject}
		}
	}
	o.Responses = map[string]*huma.Response{"200": {Description: description, Content: documented}}
}

type groupConfig struct {
	Storage storage.Config
	Ledger  ledger.Config
	Log     logConfig
}

// New returns the group.
func New(kit *service.Kit, cfg groupConfig) (*Public, error) {
	log, err := newPublicLog(kit, cfg.Log)
	if err != nil {
		return nil, err
	}
	places := geocoding.NewMunicipalities(kit.DB)
	links := storage.NewLinks(kit.AWS, cfg.Storage, kit.Clock)
	return &Public{
		db: kit.DB, clock: kit.Clock, links: links, weblinks: kit.Links, ledger: cfg.Ledger, mirror: ledger.NewMirror(cfg.Ledger), log: log,
		reader: reportread.NewReader(kit.DB, links, places, cfg.Ledger), places: places,
	}, nil
}

// Open makes the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, name, env, New)
}

// visible is the condition for reports r that everybody may see.
const visible = opendata.PublicCondition

// point is the place of a report r, as planar degrees. The index reports_public_point_idx has exactly this expression, and
// visible as its condition: change them together.
const point = `ST_SetSRID(ST_MakePoint(r.longitude, r.latitude), 4326)`

// shownPoint is point as everybody is shown it: with 3 decimals while the report is pending.
const shownPoint = `ST_SetSRID(ST_MakePoint(` + report.ShownLongitudeSQL + `, ` + report.ShownLatitudeSQL + `), 4326)`

// shownIn returns the condition that shownPoint lies in an area in degrees. The index finds the exact places around it.
func shownIn(area string) string {
	return fmt.Sprintf(`(%s && ST_Expand(%s, %g) AND %s && %s)`, point, area, report.ShownWithinDegrees, shownPoint, area)
}
