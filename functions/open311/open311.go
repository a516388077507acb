// Package open311 serves Open311 GeoReport v2, by which systems of other cities and programs exchange reports with this one.
// Decision 0032 says what it has beyond the specification.
package open311

import (
	"context"
	"slices"

	"github.com/lafaekstreet/backend/shared/apikey"
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
	"github.com/lafaekstreet/backend/shared/weblink"
)

const name = "open311"

// Group serves the routes of this package.
type Group struct {
	db       *database.DB
	outbox   *outbox.Outbox
	clock    timestamp.Clock
	settings *settings.Reader
	reader   *reportread.Reader
	receipts *ledger.Receipts
	uploads  *upload.Uploads
	keys     *apikey.Keys
	limiter  limiter
	weblinks weblink.Base
	bounds   bounds
	// production says in discovery that reports are acted upon.
	production bool
}

type groupConfig struct {
	Storage  storage.Config
	Ledger   ledger.Config
	Receipts ledger.ReceiptsConfig
	Stage    string `env:"STAGE" envDefault:"local"`
}

// New returns the group.
func New(kit *service.Kit, cfg groupConfig) (*Group, error) {
	receipts, err := service.OpenReceipts(kit, cfg.Receipts)
	if err != nil {
		return nil, err
	}
	uploads := upload.NewUploads(kit.DB, storage.New(kit.AWS, cfg.Storage), storage.NewLinks(kit.AWS, cfg.Storage, kit.Clock), kit.Clock)
	return &Group{
		db: kit.DB, outbox: kit.Outbox, clock: kit.Clock, settings: kit.Settings, receipts: receipts, uploads: uploads,
		reader: reportread.NewReader(kit.DB, unsigned{}, geocoding.NewMunicipalities(kit.DB), cfg.Ledger),
		keys:   apikey.NewKeys(kit.DB, kit.Clock), limiter: kit.Gate, weblinks: kit.Links, production: !slices.Contains(testStages(), cfg.Stage), bounds: defaultBounds(),
	}, nil
}

// Open returns the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, name, env, New)
}

// Name implements httpapi.Group.
func (*Group) Name() string { return name }

// Register implements httpapi.Group.
func (g *Group) Register(a *httpapi.API) {
	a.FormProblems("/open311", writeErrors)
	g.registerDiscovery(a)
	g.registerServices(a)
	g.registerRequests(a)
	g.registerUpdates(a)
	g.registerBulk(a)
	g.registerDocument(a)
	g.registerCreate(a)
	g.registerCreateUpdate(a)
}

// unsigned makes no addresses of files: answers have addresses of pictures that last, which the function public serves.
type unsigned struct{}

// Link implements reportread.Links.
func (unsigned) Link(context.Context, string) (string, error) { return "", nil }
