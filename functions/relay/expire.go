package relay

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/storage"
)

const (
	// expiredUploads bounds the uploads one run deletes; each takes three calls to S3.
	expiredUploads = 100
	// beyond is how long an upload outlives its expiry: longer than any request that found it good can take to commit, and
	// than clocks differ. Its bytes are deleted before its row is locked.
	beyond = time.Hour
	// expiredRows bounds the rows one statement deletes, so that none holds locks for long.
	expiredRows = 5000
)

// created is S3's message about an original.
func created(id uuid.UUID) map[string]any {
	return map[string]any{"Records": []map[string]any{{"eventName": "ObjectCreated:Relay",
		"s3": map[string]any{"object": map[string]any{"key": storage.Originals + id.String()}}}}}
}

// expireUploads deletes pictures nobody attached to anything, bytes first: a row
// without bytes is found again, bytes without a row never.
func (r *Relay) expireUploads(ctx context.Context) error {
	const q = `SELECT id FROM uploads WHERE attached_at IS NULL AND expires_at < $1 ORDER BY expires_at LIMIT $2`
	rows, err := r.db.Query(ctx, q, r.clock.Now().Add(-beyond), expiredUploads)
	if err != nil {
		return fmt.Errorf("find expired uploads: %w", err)
	}
	expired, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("find expired uploads: %w", err)
	}
	for _, id := range expired {
		renditions := storage.Renditions + id.String()
		for _, key := range []string{storage.Originals + id.String(), renditions + "/display.jpg", renditions + "/thumbnail.jpg"} {
			if err := r.objects.Delete(ctx, key); err != nil {
				return err
			}
		}
		const del = `DELETE FROM uploads WHERE id = $1 AND attached_at IS NULL AND expires_at < $2
			AND NOT EXISTS (SELECT FROM report_images WHERE upload_id = $1)`
		if _, err := r.db.Exec(ctx, del, id, r.clock.Now().Add(-beyond)); err != nil {
			return fmt.Errorf("delete expired upload: %w", err)
		}
	}
	return nil
}

// retention is how long rows outlive their use.
type retention struct {
	table, condition string
	keep             time.Duration
}

// retentions: a mark outlives every message that could come again (14 days on a
// queue, 14 more among the dead letters); the rest is kept a little for support.
func retentions() []retention {
	const day = 24 * time.Hour
	return []retention{
		{"idempotency_keys", "created_at < $1", 2 * day},
		{"processed_messages", "processed_at < $1", 35 * day},
		{"one_time_codes", "expires_at < $1", day},
		{"login_challenges", "expires_at < $1", day},
		{"login_failures", "first_at < $1 AND coalesce(locked_until, first_at) < $1", 7 * day},
		{"sessions", "expires_at < $1 OR revoked_at < $1", 30 * day},
		{"refresh_tokens", "expires_at < $1", day},
	}
}

// sql deletes up to $2 rows that have outlived instant $1. Names and conditions are constants of this file.
func (x retention) sql() string {
	return `DELETE FROM ` + x.table + ` WHERE ctid IN (SELECT ctid FROM ` + x.table + ` WHERE ` + x.condition + ` LIMIT $2 FOR UPDATE SKIP LOCKED)`
}

func (r *Relay) expireRows(ctx context.Context) error {
	for _, x := range retentions() {
		if _, err := r.db.Exec(ctx, x.sql(), r.clock.Now().Add(-x.keep), expiredRows); err != nil {
			return fmt.Errorf("expire %s: %w", x.table, err)
		}
	}
	return nil
}
