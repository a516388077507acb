package public

import (
	"context"
	"fmt"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/municipality"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/storage"
)

type groupConfig struct {
	Storage storage.Config
	Ledger  ledger.Config
}

// Open makes the function's HTTP handler.
func Open(ctx context.Context, env config.Env) (*httpapi.Service, error) {
	kit, err := service.Open(ctx, name, env)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Parse[groupConfig](env)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	files, err := loadAssets()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	store := storage.New(kit.AWS, cfg.Storage)
	return kit.HTTP(&Public{
		db: kit.DB, clock: kit.Clock, store: store, ledger: cfg.Ledger, mirror: ledger.NewMirror(cfg.Ledger), assets: files,
		reader: report.NewReader(kit.DB, storage.NewLinks(store, kit.Clock), municipality.NewDirectory(kit.DB), cfg.Ledger),
	})
}
