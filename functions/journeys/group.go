// Package journeys is the home of riders' journeys: where they were, where they
// mean to go, who else is near, and which reports wait on the road.
package journeys

import (
	"context"

	"github.com/lafaekstreet/backend/shared/clock"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/service"
)

const name = "journeys"

// Group is the route group of journeys and markers.
type Group struct {
	db    *database.DB
	clock clock.Clock
}

// New makes the group out of a kit.
func New(kit *service.Kit) *Group { return &Group{db: kit.DB, clock: kit.Clock} }

// Open makes the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	kit, err := service.Open(ctx, name, env)
	if err != nil {
		return nil, err
	}
	return kit.HTTP(New(kit))
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
