// Package web serves the pages for people: filing a report, the map, the page of a report, one's own reports, the desk of
// staff, administration and statistics. The server renders what everybody may see. What is personal, the scripts of the pages
// fetch from the API.
package web

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/weblink"
)

// Web serves the routes of this package.
type Web struct {
	db     *database.DB
	clock  timestamp.Clock
	reader *reportread.Reader
	places *geocoding.Municipalities
	// settings are those that administrators change.
	settings *settings.Reader
	// links are where people reach this backend.
	links weblink.Base
	// mirror is the address of the ledger's mirror node; empty for a system without one.
	mirror string
	// storage is the origin of the pictures.
	storage string
	assets  func() *assets // loaded at the first call
	baseMap baseMapConfig
}

// Name implements httpapi.Group.
func (*Web) Name() string { return "web" }

// Register implements httpapi.Group.
func (w *Web) Register(a *httpapi.API) {
	start := webPage("/", "The start page", "What this is, how to report, the newest reports, and a box that finds a report or a place.")
	start.Responses["303"] = seeOther()
	httpapi.Register(a, start, w.home)
	httpapi.Register(a, webPage("/report", "The form of a report", "Files a report without the app, also without a connection."), w.newReport)
	httpapi.Register(a, webPage("/me", "The page of a person", "Own reports, notifications, preferences. The page itself is the same for everybody."), w.me)
	publicMap := webPage("/map", "The public map", "A list of the newest reports, filters, and a map.")
	publicMap.Responses["303"] = seeOther()
	httpapi.Register(a, publicMap, w.mapPage)
	httpapi.Register(a, webPage("/desk", "The desk of staff", "Queues and reports. The page itself is the same for everybody."), w.desk)
	httpapi.Register(a, webPage("/admin", "Administration", "Set-up, people, agencies, settings. The page itself is the same for everybody."), w.admin)
	httpapi.Register(a, webPage("/stats", "Statistics", "Figures and plots by month, municipality, kind and agency, and a sheet to print."), w.stats)
	httpapi.Register(a, webPage("/welcome", "The page of an invitation", "An invited person chooses a password."), w.welcome)

	reportPage := webPage("/r/{number}", "The page of a report",
		"Picture, place, status, agency, steps and ledger proof, with a button that checks the proof in the reader's browser. 410 for what was taken down: a page that says when, by whom and why, with the proof.")
	reportPage.PageStatuses = []int{http.StatusNotFound, http.StatusGone}
	httpapi.Register(a, reportPage.WithProblems(report.Problems()...), w.reportPage)

	w.registerAssets(a)
}

// seeOther describes the answer to a search by the box of a page.
func seeOther() *huma.Response {
	return &huma.Response{Description: "To the report or to the map, for what the box asked", Headers: map[string]*huma.Header{"Location": {}}}
}

// webPage returns the operation of a page. Any cache may keep it for a minute, for the same language.
func webPage(path, summary, description string) httpapi.Operation {
	return httpapi.Operation{
		Operation: huma.Operation{Method: http.MethodGet, Path: path, Tags: []string{"pages"}, Summary: summary, Description: description,
			Responses: map[string]*huma.Response{"200": {Description: "A web page", Content: binary("text/html")}}},
		Access: httpapi.Public, Cache: httpapi.Shared, Limit: admission.LimitView, VaryCookie: true,
	}
}

// binary documents an answer of these media types.
func binary(mediaTypes ...string) map[string]*huma.MediaType {
	out := make(map[string]*huma.MediaType)
	for _, t := range mediaTypes {
		out[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	return out
}

type groupConfig struct {
	Storage storage.Config
	Ledger  ledger.Config
	BaseMap baseMapConfig
}

// New returns the group.
func New(kit *service.Kit, cfg groupConfig) (*Web, error) {
	if err := cfg.BaseMap.check(); err != nil {
		return nil, err
	}
	links := storage.NewLinks(kit.AWS, cfg.Storage, kit.Clock)
	origin, err := links.Origin(context.Background())
	if err != nil {
		return nil, fmt.Errorf("find origin of pictures: %w", err)
	}
	places := geocoding.NewMunicipalities(kit.DB)
	return &Web{db: kit.DB, clock: kit.Clock, reader: reportread.NewReader(kit.DB, links, places, cfg.Ledger), places: places,
		settings: settings.NewReader(kit.DB, kit.Clock),
		links:    kit.Links, mirror: cfg.Ledger.MirrorURL, storage: origin, assets: sync.OnceValue(loadAssets), baseMap: cfg.BaseMap}, nil
}

// Open makes the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, "web", env, New)
}
