// Package export renews the open data files: the whole public set as CSV and GeoJSON, streamed from the database through a
// temporary file to S3. It does so every hour, and within a quarter of an hour after something went out of public sight.
package export

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
	"github.com/klauspost/compress/gzip"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/start"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

// Export is the scheduled function.
type Export struct {
	db      *database.DB
	store   *storage.Store
	log     *slog.Logger
	metrics *telemetry.Metrics
}

// Config has the settings that export alone reads.
type Config struct {
	Storage storage.Config
}

// Open makes the function out of its configuration. A statement of it may take as long as the function:
// to read a million reports takes longer than the timeout for requests.
func Open(ctx context.Context, env config.Env) (start.Scheduled, error) {
	env = env.With("DATABASE_STATEMENT_TIMEOUT", "14m")
	kit, err := service.Open(ctx, "export", env)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Parse[Config](env)
	if err != nil {
		return nil, fmt.Errorf("open export: %w", err)
	}
	return &Export{kit.DB, storage.New(kit.AWS, cfg.Storage), kit.Log, kit.Metrics}, nil
}

// renewAfter is the age of the files after which they are written again in any case. Run is called each quarter of an hour.
const renewAfter = 50 * time.Minute

// Run implements start.Scheduled: it writes every format each hour, and in the next quarter after something was hidden, rejected
// or removed. The file of a format that fails stays as it was. It leaves no connection open: until the next run the database may
// pause.
func (e *Export) Run(ctx context.Context, _ events.EventBridgeEvent) error {
	defer e.db.Reset()
	var before requests
	// A row about no report says when the files were last written.
	const read = `SELECT coalesce(array_agg(id), '{}'), coalesce(bool_or(report_id <> $1), false), coalesce(max(created_at) FILTER (WHERE report_id = $1) > now() - $2::interval, false)
		FROM export_requests`
	if err := e.db.QueryRow(ctx, read, uuid.Nil, renewAfter).Scan(&before.ids, &before.wanted, &before.recent); err != nil {
		return fmt.Errorf("read requests for an export: %w", err)
	}
	if before.recent && !before.wanted {
		return nil
	}
	if err := e.writeAll(ctx); err != nil {
		return err
	}
	// Rows that came meanwhile stay: what they are about may be in the files.
	const done = `WITH gone AS (DELETE FROM export_requests WHERE id = ANY($1)) INSERT INTO export_requests (report_id) VALUES ($2)`
	if _, err := e.db.Exec(ctx, done, before.ids, uuid.Nil); err != nil {
		return fmt.Errorf("delete requests for an export: %w", err)
	}
	return nil
}

// requests are the rows of export_requests.
type requests struct {
	ids    []int64
	wanted bool // one is about a report
	recent bool // the files are not old
}

func (e *Export) writeAll(ctx context.Context) error {
	for _, f := range opendata.Formats() {
		n, err := e.write(ctx, f)
		if err != nil {
			e.metrics.Add(catalog.ExportFailures)
			return fmt.Errorf("export %s: %w", f, err)
		}
		e.log.InfoContext(ctx, "export renewed", "format", string(f), "reports", n)
	}
	return nil
}

func (e *Export) write(ctx context.Context, f opendata.Format) (int, error) {
	file, err := os.CreateTemp("", "export-*")
	if err != nil {
		return 0, fmt.Errorf("temporary file: %w", err)
	}
	defer func() {
		_ = file.Close() // a temporary file: nothing in it is needed any more
		_ = os.Remove(file.Name())
	}()
	z, err := gzip.NewWriterLevel(file, gzip.BestSpeed)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	n, err := opendata.WriteExport(ctx, e.db, f, z, opendata.ExportColumns+`WHERE `+opendata.PublicCondition+` ORDER BY r.id`)
	if err != nil {
		return 0, err
	}
	if err := z.Close(); err != nil {
		return 0, fmt.Errorf("compress: %w", err)
	}
	if _, err := file.Seek(0, 0); err != nil {
		return 0, fmt.Errorf("rewind: %w", err)
	}
	if err := e.store.PutFile(ctx, storage.Object{Key: f.Key(), ContentType: f.ContentType(), Encoding: "gzip"}, file); err != nil {
		return 0, err
	}
	e.metrics.Put(catalog.ExportDuration, float64(time.Since(began).Milliseconds()))
	return n, nil
}
