package relay

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/upload"
)

const (
	// expiredUploads bounds the uploads one run deletes; each takes three calls to S3.
	expiredUploads = 100
	// uploadGrace is how long an expired upload is kept. A request may have found it valid just before its expiry; that
	// request has committed by then. The bytes are deleted before the row is locked.
	uploadGrace = time.Hour
	// expiredRows bounds the rows one statement deletes, so that none holds locks for long.
	expiredRows = 5000
	// spentLimits is the same for budgets of requests, which are small and many while somebody floods the system.
	spentLimits = 100_000
)

// created returns the message that S3 sends when an original has arrived.
func created(id uuid.UUID) map[string]any {
	return map[string]any{"Records": []map[string]any{{"eventName": "ObjectCreated:Relay",
		"s3": map[string]any{"object": map[string]any{"key": storage.Originals + id.String()}}}}}
}

// expireUploads deletes expired pictures that are attached to nothing: first the bytes, then the row. If it is interrupted,
// the next run finds the row again; bytes without a row would stay for ever.
func (r *Relay) expireUploads(ctx context.Context) error {
	const q = `SELECT id FROM uploads WHERE attached_at IS NULL AND expires_at < $1 ORDER BY expires_at LIMIT $2`
	rows, err := r.db.Query(ctx, q, r.clock.Now().Add(-uploadGrace), expiredUploads)
	if err != nil {
		return fmt.Errorf("find expired uploads: %w", err)
	}
	expired, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("find expired uploads: %w", err)
	}
	for _, id := range expired {
		for _, key := range keysOf(id, 0) { // nothing that is attached to nothing is made anew
			if err := r.objects.Delete(ctx, key); err != nil {
				return err
			}
		}
		const del = `DELETE FROM uploads WHERE id = $1 AND attached_at IS NULL AND expires_at < $2
			AND NOT EXISTS (SELECT FROM report_images WHERE upload_id = $1)`
		if _, err := r.db.Exec(ctx, del, id, r.clock.Now().Add(-uploadGrace)); err != nil {
			return fmt.Errorf("delete expired upload: %w", err)
		}
	}
	return nil
}

// keysOf are the keys of a picture's files, the original first. generation is the newest that was taken. The generation after it may have files too: of a
// change that was interrupted before its commit.
func keysOf(id uuid.UUID, generation int) []string {
	return append([]string{upload.OriginalKey(id)}, upload.RenditionKeys(id, 0, generation+2)...)
}

// undecidedFor is how long the original of a deleted account stays when the images worker has not processed it yet.
const undecidedFor = time.Hour

// deletePictures deletes the files of pictures that were taken off a report, whose report was withdrawn, or whose owner
// deleted the account (upload.Deletion). If it is interrupted, the next run finds the picture again. The images worker
// deletes what it makes of a picture after this.
func (r *Relay) deletePictures(ctx context.Context) error {
	const q = `
		SELECT id, deletion, greatest(generation, generation_taken) FROM uploads
		 WHERE deletion IN ('original', 'all') AND (deletion = 'all' OR state IN ('processed', 'refused') OR created_at < $1)
		 ORDER BY id LIMIT $2`
	type picture struct {
		ID         uuid.UUID
		Deletion   upload.Deletion
		Generation int // the newest that may be stored
	}
	rows, err := r.db.Query(ctx, q, r.clock.Now().Add(-undecidedFor), expiredUploads)
	if err != nil {
		return fmt.Errorf("find pictures to delete: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[picture])
	if err != nil {
		return fmt.Errorf("find pictures to delete: %w", err)
	}
	for _, p := range found {
		keys := keysOf(p.ID, p.Generation)
		if p.Deletion == upload.DeleteOriginal {
			keys = keys[:1]
		}
		for _, key := range keys {
			if err := r.objects.DeleteVersions(ctx, key); err != nil {
				return err
			}
		}
		const done = `UPDATE uploads SET deletion = CASE deletion WHEN 'all' THEN 'gone' END WHERE id = $1 AND deletion = $2`
		if _, err := r.db.Exec(ctx, done, p.ID, p.Deletion); err != nil {
			return fmt.Errorf("record deletion of picture: %w", err)
		}
	}
	return nil
}

// deleteStale deletes the renditions of earlier generations: of pictures that were made anew, or taken out of public reach. The
// function that did so has deleted them unless it was interrupted.
func (r *Relay) deleteStale(ctx context.Context) error {
	type stale struct {
		ID                     uuid.UUID
		From, Generation, Last int
	}
	// Redactions that were not recorded have left later generations. While one is being made, they stay: it may be writing them.
	const q = `SELECT id, stale_from, generation, CASE WHEN state = 'redacting' THEN generation ELSE greatest(generation, generation_taken) END
		FROM uploads WHERE stale_from IS NOT NULL ORDER BY id LIMIT $1`
	rows, err := r.db.Query(ctx, q, expiredUploads)
	if err != nil {
		return fmt.Errorf("find stale renditions: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stale])
	if err != nil {
		return fmt.Errorf("find stale renditions: %w", err)
	}
	for _, p := range found {
		keys := append(upload.RenditionKeys(p.ID, p.From, p.Generation), upload.RenditionKeys(p.ID, p.Generation+1, p.Last+1)...)
		for _, key := range keys {
			if err := r.objects.DeleteVersions(ctx, key); err != nil {
				return err
			}
		}
		const done = `UPDATE uploads SET stale_from = NULL WHERE id = $1 AND generation = $2`
		if _, err := r.db.Exec(ctx, done, p.ID, p.Generation); err != nil {
			return fmt.Errorf("record deletion of stale renditions: %w", err)
		}
	}
	return nil
}

// withdrawExports deletes the files of open data while they may have something that went out of public sight: so a link that
// was given out before leads nowhere. export writes them again. If it has done so since the first statement, the last one has it
// write them in its next run once more.
func (r *Relay) withdrawExports(ctx context.Context) error {
	var stale bool
	if err := r.db.QueryRow(ctx, `SELECT EXISTS (SELECT FROM export_requests WHERE report_id <> $1)`, uuid.Nil).Scan(&stale); err != nil {
		return fmt.Errorf("look for stale exports: %w", err)
	}
	if !stale {
		return nil
	}
	for _, f := range opendata.Formats() {
		if err := r.objects.DeleteVersions(ctx, f.Key()); err != nil {
			return err
		}
	}
	if _, err := r.db.Exec(ctx, `DELETE FROM export_requests WHERE report_id = $1`, uuid.Nil); err != nil {
		return fmt.Errorf("ask for new exports: %w", err)
	}
	return nil
}

// retention says how long rows of a table are kept. The condition selects old rows; $1 is the present time minus that
// duration.
type retention struct {
	table, condition string
	keep             time.Duration
	most             int // rows that one run deletes
}

// closedContact is true for the contact of a report that is closed since $1: fixed, rejected, a duplicate or removed. It is the condition
// of report_contacts and open311_contacts.
const closedContact = `created_at < $1 AND EXISTS (SELECT FROM reports r WHERE r.id = report_id AND
	(r.deleted_at < $1 OR r.status IN ('fixed', 'rejected', 'duplicate') AND NOT EXISTS (
	 SELECT FROM report_status_history h WHERE h.report_id = r.id AND h.created_at >= $1)))`

// retentions lists the tables. A row of processed_messages is kept longer than its message can be delivered: 14 days in a
// queue and 14 more among the dead letters. The other rows are kept for a while to answer questions of support.
func retentions() []retention {
	const day = 24 * time.Hour
	return []retention{
		{"idempotency_keys", "created_at < $1", 2 * day, expiredRows},
		{"processed_messages", "processed_at < $1", 35 * day, expiredRows},
		{"message_starts", "noted_at < $1", 15 * day, expiredRows},  // longer than a message can be on its queue
		{"one_time_codes", "expires_at < $1", 7 * day, expiredRows}, // at least credential.RegistrationKept
		{"login_challenges", "expires_at < $1", day, expiredRows},
		{"login_failures", "first_at < $1 AND coalesce(locked_until, first_at) < $1", 7 * day, expiredRows},
		{"sessions", "expires_at < $1 OR revoked_at < $1", 30 * day, expiredRows},
		{"refresh_tokens", "expires_at < $1", day, expiredRows},
		{"ai_pictures", "day < $1", 3 * day, expiredRows},
		{"ai_days", "day < $1", 3 * day, expiredRows},
		{"report_contacts", closedContact, 730 * day, expiredRows},
		{"open311_contacts", closedContact, 730 * day, expiredRows},
		{"invitations", "expires_at < $1", 30 * day, expiredRows},
		{"comment_mails", "begun_at < $1", day, expiredRows},
		{"daily_mails", "day < $1", 30 * day, expiredRows}, // longer than digest looks back
		{"webhook_deliveries", "state = 'delivered' AND settled_at < $1", 7 * day, expiredRows},
		{"webhook_deliveries", "state = 'parked' AND settled_at < $1", 30 * day, expiredRows},
		{"rate_limits", "full_at < $1", 0, spentLimits},
	}
}

// sql deletes up to $2 rows whose condition holds for the instant $1. Names and conditions are constants of this file.
func (x retention) sql() string {
	return `DELETE FROM ` + x.table + ` WHERE ctid IN (SELECT ctid FROM ` + x.table + ` WHERE ` + x.condition + ` LIMIT $2 FOR UPDATE SKIP LOCKED)`
}

func (r *Relay) expireRows(ctx context.Context) error {
	for _, x := range retentions() {
		if _, err := r.db.Exec(ctx, x.sql(), r.clock.Now().Add(-x.keep), x.most); err != nil {
			return fmt.Errorf("expire %s: %w", x.table, err)
		}
	}
	return nil
}
