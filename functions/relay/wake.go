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

const unjudgedSQL = `
	SELECT id FROM reports
	WHERE ai_status IN ('queued', 'processing') AND deleted_at IS NULL AND created_at < $1
	  AND NOT EXISTS (SELECT FROM processed_messages p WHERE p.consumer = 'relay-validate' AND p.message_key = reports.id || $2)
	ORDER BY created_at LIMIT $3`

const unprocessedSQL = `
	SELECT id FROM uploads
	WHERE state IN ('issued', 'stored') AND attached_at < $1 AND attached_at > $1::timestamptz - interval '2 days'
	  AND NOT EXISTS (SELECT FROM processed_messages p WHERE p.consumer = 'relay-images' AND p.message_key = uploads.id || $2)
	ORDER BY attached_at LIMIT $3`

// wakings bounds how many of a kind one run brings up again.
const wakings = 100

// wakeReports brings up reports that ought to have been judged by now: their
// message may have been lost with a queue, or be among the dead letters. Each at
// most once in the configured time, so that a long outage makes no storm.
func (r *Relay) wakeReports(ctx context.Context) error {
	return r.outbox.Do(ctx, func(w *outbox.Work) error {
		found, err := due(ctx, w, unjudgedSQL, r.clock.Now().Add(-r.cfg.Stuck), r.slot(), wakings)
		if err != nil {
			return err
		}
		for _, id := range found {
			first, err := w.Once(ctx, "relay-validate", id.String()+r.slot())
			if err != nil {
				return err
			}
			if !first {
				continue
			}
			if err := w.Send(ctx, queue.Validate, queue.ValidateMessage{ReportID: id}); err != nil {
				return err
			}
		}
		return nil
	})
}

// wakePictures tells the images worker again, in S3's words, of originals that
// are somebody's evidence and still unprocessed. Where the bytes never came it
// finds nothing and does nothing.
func (r *Relay) wakePictures(ctx context.Context) error {
	return r.outbox.Do(ctx, func(w *outbox.Work) error {
		found, err := due(ctx, w, unprocessedSQL, r.clock.Now().Add(-r.cfg.Stuck), r.slot(), wakings)
		if err != nil {
			return err
		}
		for _, id := range found {
			first, err := w.Once(ctx, "relay-images", id.String()+r.slot())
			if err != nil {
				return err
			}
			if !first {
				continue
			}
			if err := w.Send(ctx, queue.Images, created(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// slot names the present stretch of the configured time.
func (r *Relay) slot() string {
	return fmt.Sprintf("@%d", r.clock.Now().Truncate(max(r.cfg.Stuck, time.Second)).Unix())
}

func due(ctx context.Context, w *outbox.Work, query string, args ...any) ([]uuid.UUID, error) {
	rows, err := w.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("find what is stuck: %w", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("find what is stuck: %w", err)
	}
	return out, nil
}
