package relay

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// maxWakings is the most messages of one kind that one run sends.
const maxWakings = 100

// waking is a kind of work that should be done by now and is not: its message was lost or is among the dead letters.
type waking struct {
	// consumer is the name under which processed_messages records that a message was sent again.
	consumer string
	// sql finds stuck work, oldest first: from before $1, not recorded in the slot $2, at most $3 rows.
	sql     string
	queue   queue.Name
	message func(id uuid.UUID) any
}

// What may be stuck.
var (
	unjudged = waking{"relay-validate", `
	SELECT id FROM reports
	WHERE ai_status IN ('queued', 'processing') AND deleted_at IS NULL AND created_at < $1
	  AND NOT EXISTS (SELECT FROM processed_messages p WHERE p.consumer = 'relay-validate' AND p.message_key = reports.id || $2)
	ORDER BY created_at LIMIT $3`,
		queue.Validate, func(id uuid.UUID) any { return queue.ValidateMessage{ReportID: id} }}

	// Pictures that came after the verdict about their report, and those that functions of an earlier version judged.
	unjudgedPictures = waking{"relay-pictures", `
	SELECT i.report_id FROM report_images i JOIN uploads u ON u.id = i.upload_id JOIN reports r ON r.id = i.report_id
	WHERE i.verdict = 'awaited' AND i.kind <> 'resolution' AND i.deleted_at IS NULL AND i.created_at < $1 AND u.state = 'processed'
	  AND r.deleted_at IS NULL AND r.status <> 'rejected' AND (r.status <> 'pending' OR r.ai_status IN ('completed', 'rejected'))
	  AND NOT EXISTS (SELECT FROM processed_messages p WHERE p.consumer = 'relay-pictures' AND p.message_key = i.report_id || $2)
	ORDER BY i.created_at LIMIT $3`,
		queue.Validate, func(id uuid.UUID) any { return queue.ValidateMessage{ReportID: id} }}

	// The message is the same as S3's about a new original. If the bytes never arrived, the images worker does nothing.
	unprocessed = waking{"relay-images", `
	SELECT id FROM uploads
	WHERE state IN ('issued', 'stored') AND attached_at < $1 AND attached_at > $1::timestamptz - interval '2 days'
	  AND NOT EXISTS (SELECT FROM processed_messages p WHERE p.consumer = 'relay-images' AND p.message_key = uploads.id || $2)
	ORDER BY attached_at LIMIT $3`,
		queue.Images, func(id uuid.UUID) any { return created(id) }}

	// Pictures of which parts have to be made black.
	unredacted = waking{"relay-redact", `
	SELECT id FROM uploads
	WHERE state = 'redacting' AND processed_at < $1 AND (deletion IS NULL OR deletion = 'original')
	  AND NOT EXISTS (SELECT FROM processed_messages p WHERE p.consumer = 'relay-redact' AND p.message_key = uploads.id || $2)
	ORDER BY processed_at LIMIT $3`,
		queue.Images, func(id uuid.UUID) any { return queue.RedactMessage{UploadID: id} }}

	// While the geocoder does not answer, the geocode worker keeps a message in the outbox; then nothing is stuck.
	unnamed = waking{"relay-geocode", `
	SELECT id FROM reports
	WHERE geocoded_at IS NULL AND deleted_at IS NULL AND created_at < $1 AND created_at > $1::timestamptz - interval '7 days'
	  AND NOT EXISTS (SELECT FROM processed_messages p WHERE p.consumer = 'relay-geocode' AND p.message_key = reports.id || $2)
	  AND NOT EXISTS (SELECT FROM outbox o WHERE o.queue = 'geocode' AND o.body ->> 'report_id' = reports.id::text)
	ORDER BY created_at LIMIT $3`,
		queue.Geocode, func(id uuid.UUID) any { return queue.GeocodeMessage{ReportID: id} }}
)

// wake sends the messages of a kind again, each at most once per slot, so that a long outage does not multiply messages.
func (r *Relay) wake(ctx context.Context, k waking) error {
	return r.outbox.Do(ctx, func(tx *outbox.Tx) error {
		found, err := due(ctx, tx, k.sql, r.clock.Now().Add(-r.cfg.Stuck), r.slot(), maxWakings)
		if err != nil {
			return err
		}
		for _, id := range found {
			first, err := tx.Once(ctx, k.consumer, id.String()+r.slot())
			if err != nil {
				return err
			}
			if !first {
				continue
			}
			if err := tx.Send(ctx, k.queue, k.message(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// slot names the current interval of length Config.Stuck.
func (r *Relay) slot() string {
	return fmt.Sprintf("@%d", r.clock.Now().Truncate(max(r.cfg.Stuck, time.Second)).Unix())
}

// due returns the ids that query finds.
func due(ctx context.Context, tx *outbox.Tx, query string, args ...any) ([]uuid.UUID, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("find what is stuck: %w", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("find what is stuck: %w", err)
	}
	return out, nil
}
