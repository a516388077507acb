// Package migrate brings the database to the newest schema during a deploy, before
// any other function of the new version gets traffic.
package migrate

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/cfn"

	"github.com/lafaekstreet/backend/migrations"
	"github.com/lafaekstreet/backend/shared/clock"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/logging"
	"github.com/lafaekstreet/backend/shared/start"
)

// Config is where the database is, as the role that owns it.
type Config struct {
	URL string `env:"DATABASE_URL,required,notEmpty"`
}

// Migrate is the custom resource "the schema".
type Migrate struct {
	url   string
	clock clock.Clock
	log   *slog.Logger
}

// Open makes the function out of its configuration.
func Open(_ context.Context, env config.Env) (start.Resource, error) {
	cfg, err := config.Parse[Config](env)
	if err != nil {
		return nil, fmt.Errorf("open migrate: %w", err)
	}
	return &Migrate{url: cfg.URL, clock: clock.System{}, log: logging.New(os.Stderr, slog.LevelInfo)}, nil
}

// Apply implements start.Resource. Before it touches anything it marks the
// recovery point: the instant a restore of this database has to name to undo what
// follows. It is the attribute RecoveryPoint, and in the log.
func (m *Migrate) Apply(ctx context.Context, e cfn.Event) (string, map[string]any, error) {
	point := m.clock.Now().UTC().Truncate(time.Second).Format(time.RFC3339)
	m.log.InfoContext(ctx, "recovery point", "time", point, "request", string(e.RequestType))
	if err := migrations.Apply(ctx, m.url); err != nil {
		return "schema", nil, fmt.Errorf("to undo, restore the database as of %s: %w", point, err)
	}
	hash, err := migrations.Hash()
	if err != nil {
		return "schema", nil, err
	}
	m.log.InfoContext(ctx, "schema is up to date", "schema", hash)
	return "schema", map[string]any{"RecoveryPoint": point, "Schema": hash}, nil
}
