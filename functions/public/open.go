package public

import (
	"context"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/storage"
)

type groupConfig struct {
	Storage storage.Config
	Ledger  ledger.Config
}

// New returns the group.
func New(kit *service.Kit, cfg groupConfig) (*Public, error) {
	files, err := loadAssets()
	if err != nil {
		return nil, err
	}
	places := geocoding.NewMunicipalities(kit.DB)
	links := storage.NewLinks(kit.AWS, cfg.Storage, kit.Clock)
	return &Public{
		db: kit.DB, clock: kit.Clock, links: links, ledger: cfg.Ledger, mirror: ledger.NewMirror(cfg.Ledger), assets: files,
		reader: reportread.NewReader(kit.DB, links, places, cfg.Ledger), places: places,
	}, nil
}

// Open makes the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	return service.OpenGroup(ctx, name, env, New)
}
