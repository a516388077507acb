// Package community holds the routes of comments on a report and of the AI's
// analyses of a report.
package community

import (
	"context"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/settings"
)

const name = "community"

// Group is the route group of comments and AI analyses.
type Group struct {
	db       *database.DB
	outbox   *outbox.Outbox
	settings *settings.Reader

	receipts *ledger.Receipts
}

type groupConfig struct{ Receipts ledger.ReceiptsConfig }

// New makes the group from a kit and its configuration.
func New(kit *service.Kit, cfg groupConfig) (*Group, error) {
	receipts, err := service.OpenReceipts(kit, cfg.Receipts)
	if err != nil {
		return nil, err
	}
	return &Group{db: kit.DB, outbox: kit.Outbox, settings: kit.Settings, receipts: receipts}, nil
}

// Open makes the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, name, env, New)
}

// Name implements httpapi.Group.
func (g *Group) Name() string { return name }

// Register implements httpapi.Group.
func (g *Group) Register(api *httpapi.API) {
	g.registerComments(api)
	g.registerHideComment(api)
	g.registerAnalyses(api)
}
