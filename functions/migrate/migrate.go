// Package migrate brings the database to the newest schema. A deploy runs it before it replaces the other functions.
package migrate

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/cfn"

	"github.com/lafaekstreet/backend/migrations"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/start"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Config is the configuration of the function.
type Config struct {
	// URL is the address of the database; its role owns the database.
	URL string `env:"DATABASE_URL,required,notEmpty"`
}

// Migrate implements the custom resource "schema" of the CloudFormation stack.
type Migrate struct {
	url   string
	clock timestamp.Clock
	log   *slog.Logger
}

// Open makes a Migrate out of env. It does not connect to the database.
func Open(_ context.Context, env config.Env) (start.Resource, error) {
	cfg, err := config.Parse[Config](env)
	if err != nil {
		return nil, fmt.Errorf("open migrate: %w", err)
	}
	return &Migrate{url: cfg.URL, clock: timestamp.System{}, log: telemetry.NewLogger(os.Stderr, slog.LevelInfo)}, nil
}

// Apply implements start.Resource: it applies the migrations that the database lacks.
//
// First it takes the recovery point: the time (UTC, RFC 3339, whole seconds) to which the database has to be restored to
// undo this deploy. The recovery point is in the log, in the attribute RecoveryPoint and in the text of an error. The
// attribute Schema is migrations.Hash.
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
