// Package reports creates, shows and changes reports and their pictures.
package reports

import (
	"context"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/upload"
)

const name = "reports"

// Group is the route group of reports.
type Group struct {
	db             *database.DB
	outbox         *outbox.Outbox
	clock          timestamp.Clock
	settings       *settings.Reader
	municipalities *geocoding.Municipalities
	reader         *reportread.Reader
	uploads        *upload.Uploads
	renditions     *upload.Renditions
	links          *storage.Links
	limiter        limiter
	receipts       *ledger.Receipts
}

type groupConfig struct {
	Storage  storage.Config
	Ledger   ledger.Config
	Receipts ledger.ReceiptsConfig
}

// New returns the group with its configuration.
func New(kit *service.Kit, cfg groupConfig) (*Group, error) {
	store := storage.New(kit.AWS, cfg.Storage)
	links := storage.NewLinks(kit.AWS, cfg.Storage, kit.Clock)
	places := geocoding.NewMunicipalities(kit.DB)
	receipts, err := service.OpenReceipts(kit, cfg.Receipts)
	if err != nil {
		return nil, err
	}
	return &Group{
		db: kit.DB, outbox: kit.Outbox, clock: kit.Clock, settings: kit.Settings,
		municipalities: places, reader: reportread.NewReader(kit.DB, links, places, cfg.Ledger).WithReceipts(receipts),
		uploads: upload.NewUploads(kit.DB, store, links, kit.Clock), renditions: upload.NewRenditions(store, kit.Log), links: links, limiter: kit.Gate, receipts: receipts,
	}, nil
}

// Open returns the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, name, env, New)
}

// Name implements httpapi.Group.
func (g *Group) Name() string { return name }

// Register implements httpapi.Group.
func (g *Group) Register(api *httpapi.API) {
	g.registerUploadImage(api)
	g.registerCreate(api)
	g.registerCreateBatch(api)
	g.registerRead(api)
	g.registerListChanges(api)
	g.registerFindSimilar(api)
	g.registerAmend(api)
	g.registerChangeStatus(api)
	g.registerAssign(api)
	g.registerWithdraw(api)
	g.registerHideWords(api)
	g.registerFlag(api)
	g.registerAddImage(api)
	g.registerRemoveImage(api)
	g.registerShowImage(api)
	g.registerFollow(api)
	g.registerConfirm(api)
	g.registerDispute(api)
	g.registerHideImage(api)
}

// limiter counts items against a caller's budgets.
type limiter interface {
	// Take spends a budget.
	Take(ctx context.Context, s admission.Spend) admission.Budget
	// Return gives back what was spent.
	Return(ctx context.Context, spends []admission.Spend) []admission.Budget
}
