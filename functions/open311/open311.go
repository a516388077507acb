// Package open311 serves Open311 GeoReport v2, by which systems of other cities and programs exchange reports with this one.
package open311

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/storage"
)

const name = "open311"

// Group serves the routes of this package.
type Group struct {
	db *database.DB
}

type groupConfig struct {
	Storage storage.Config
	Ledger  ledger.Config
}

// New returns the group.
func New(kit *service.Kit, _ groupConfig) (*Group, error) {
	return &Group{db: kit.DB}, nil
}

// Open returns the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, name, env, New)
}

// Name implements httpapi.Group.
func (*Group) Name() string { return name }

// Register implements httpapi.Group.
func (g *Group) Register(a *httpapi.API) {
	httpapi.Register(a, httpapi.Operation{
		Operation: huma.Operation{Method: http.MethodGet, Path: "/open311/v2/discovery.json", Tags: []string{"open311"}, Summary: "Where the endpoints are"},
		Access:    httpapi.Public, Cache: httpapi.Shared, Limit: admission.LimitView,
	}, g.discovery)
}

type discoveryOutput struct{ Body struct{} }

func (g *Group) discovery(context.Context, *struct{}) (*discoveryOutput, error) {
	return &discoveryOutput{}, nil
}
