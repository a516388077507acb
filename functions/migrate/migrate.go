// Package migrate brings the database to the newest schema, and the reports of the first version into the public log. A
// deploy runs it before it replaces the other functions.
package migrate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/cfn"

	"github.com/lafaekstreet/backend/functions/migrate/upgrade"
	"github.com/lafaekstreet/backend/migrations"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/start"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Config is the configuration of the function.
type Config struct {
	// Database is where it is. The owner's login owns the database and the schema.
	Database database.Owner
	// StatementTimeout is the limit of a statement of functions that sign in with a login of their own.
	StatementTimeout time.Duration `env:"DATABASE_STATEMENT_TIMEOUT" envDefault:"20s"`
	// Logins are the logins of functions that migrate makes, each for one function. Empty: none.
	Logins []string `env:"DATABASE_LOGINS"`
	// LogBucket has the public log. Empty: nothing is compared with it.
	LogBucket string `env:"LOG_BUCKET"`
	// MediaBucket has the pictures. Empty: the hashes of small renditions of the first version stay unknown.
	MediaBucket string `env:"MEDIA_BUCKET"`
	// LogOrigin names the public log. Empty: no key is registered.
	LogOrigin string `env:"LOG_ORIGIN"`
}

// ErrHalted reports that the published log has more events than the database. Writes answer 503 until make log-recover.
var ErrHalted = errors.New(ledger.HaltedByRestore)

// Migrate implements the custom resource "schema" of the CloudFormation stack.
type Migrate struct {
	cfg   Config
	env   config.Env
	clock timestamp.Clock
	log   *slog.Logger
}

// Open makes a Migrate out of env. It does not connect to the database.
func Open(_ context.Context, env config.Env) (start.Resource, error) { return New(env) }

// New is Open for a caller that needs no start.Resource.
func New(env config.Env) (*Migrate, error) {
	cfg, err := config.Parse[Config](env)
	if err != nil {
		return nil, fmt.Errorf("open migrate: %w", err)
	}
	return &Migrate{cfg: cfg, env: env, clock: timestamp.System{}, log: telemetry.NewLogger(os.Stderr, slog.LevelInfo)}, nil
}

// Apply implements start.Resource: it does what Run does.
//
// First it takes the recovery point: the time (UTC, RFC 3339, whole seconds) to which the database has to be restored to
// undo this deploy. The recovery point is in the log, in the attribute RecoveryPoint and in the text of an error. The
// attribute Schema is migrations.Hash.
func (m *Migrate) Apply(ctx context.Context, e cfn.Event) (string, map[string]any, error) {
	point := m.clock.Now().UTC().Truncate(time.Second).Format(time.RFC3339)
	m.log.InfoContext(ctx, "recovery point", "time", point, "request", string(e.RequestType))
	if err := m.Run(ctx); err != nil {
		return "schema", nil, fmt.Errorf("to undo, restore the database as of %s: %w", point, err)
	}
	hash, err := migrations.Hash()
	if err != nil {
		return "schema", nil, err
	}
	m.log.InfoContext(ctx, "schema is up to date", "schema", hash)
	return "schema", map[string]any{"RecoveryPoint": point, "Schema": hash}, nil
}

// Run applies the migrations that the database lacks, lets the login of the functions work with it, brings the reports of the first version into the public log, and names
// the key of receipts in it. It fails with ErrHalted before the second step, and with upgrade.ErrMoreTime when the deadline of
// ctx comes before the last report; it goes on when it is called again.
func (m *Migrate) Run(ctx context.Context) error {
	if err := migrations.Apply(ctx, m.cfg.Database.URL()); err != nil {
		return err
	}
	db, err := m.cfg.Database.Open(ctx, 2, statementTimeout)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := m.admitFunctions(ctx, db); err != nil {
		return err
	}
	if err := m.guard(ctx, db); err != nil {
		return err
	}
	if err := m.upgrade(ctx, db); err != nil {
		return err
	}
	return m.register(ctx, db)
}

// upgrade brings the reports of the first version into the log.
func (m *Migrate) upgrade(ctx context.Context, db *database.DB) error {
	u := &upgrade.Upgrade{DB: db, Clock: m.clock, Log: m.log}
	if m.cfg.MediaBucket != "" {
		aws, err := config.LoadAWS(ctx, m.env)
		if err != nil {
			return err
		}
		c, err := config.Parse[storage.Config](m.env)
		if err != nil {
			return err
		}
		u.Pictures = storage.New(aws, c)
	}
	_, err := u.Run(ctx)
	return err
}

// statementTimeout bounds a statement of the upgrade. A page has a hundred reports.
const statementTimeout = time.Minute

// guard halts the log of a database that is older than what was published.
func (m *Migrate) guard(ctx context.Context, db *database.DB) error {
	if m.cfg.LogBucket == "" {
		return nil
	}
	aws, err := config.LoadAWS(ctx, m.env)
	if err != nil {
		return err
	}
	c, err := config.Parse[storage.LogConfig](m.env)
	if err != nil {
		return err
	}
	published, err := storage.NewLog(aws, c, m.clock)
	if err != nil {
		return err
	}
	if halted, err := ledger.HaltIfBehind(ctx, db, published); err != nil || !halted {
		return err
	}
	return ErrHalted
}

// register names the key of receipts, so that the first answers have receipts already.
func (m *Migrate) register(ctx context.Context, db *database.DB) error {
	if m.cfg.LogOrigin == "" {
		return nil
	}
	c, err := config.Parse[ledger.ReceiptsConfig](m.env)
	if err != nil {
		return err
	}
	receipts, err := ledger.NewReceipts(c)
	if err != nil {
		return err
	}
	keys := ledger.Keys{Origin: m.cfg.LogOrigin, Receipts: receipts.VKey()}
	return ledger.RegisterKeys(ctx, outbox.New(db, nil, m.log), keys, m.clock.Now())
}
