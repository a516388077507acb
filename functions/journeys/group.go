// Package journeys serves the journeys of riders: places they were at or plan to go to (markers), the route through them,
// other riders' journeys nearby, and reports along the route.
package journeys

import (
	"context"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

const name = "journeys"

// Group serves the routes of journeys and markers.
type Group struct {
	db      *database.DB
	clock   timestamp.Clock
	reports *reportread.Reader
	store   *storage.Store
	links   *storage.Links
}

type groupConfig struct {
	Storage storage.Config
	Ledger  ledger.Config
}

// New returns the group.
func New(kit *service.Kit, cfg groupConfig) (*Group, error) {
	links := storage.NewLinks(kit.AWS, cfg.Storage, kit.Clock)
	return &Group{db: kit.DB, clock: kit.Clock, store: storage.New(kit.AWS, cfg.Storage), links: links,
		reports: reportread.NewReader(kit.DB, links, geocoding.NewMunicipalities(kit.DB), cfg.Ledger)}, nil
}

// Open makes the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, name, env, New)
}

// Name implements httpapi.Group.
func (g *Group) Name() string { return name }

// Register implements httpapi.Group.
func (g *Group) Register(api *httpapi.API) {
	g.registerJourneys(api)
	g.registerMarkers(api)
	g.registerLists(api)
	g.registerRoutes(api)
}
