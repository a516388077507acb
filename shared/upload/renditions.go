package upload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/storage"
)

// Objects are the calls of storage that Renditions makes.
type Objects interface {
	// Copy stores an object under another key too. It fails with storage.ErrNotFound if there is none.
	Copy(ctx context.Context, from, to string) error
	// DeleteVersions deletes an object for good. It is no error when there is none.
	DeleteVersions(ctx context.Context, key string) error
}

// Renditions takes renditions out of public reach. Addresses of them that somebody kept work for 30 minutes at most, unless
// the objects go before.
//
// A move copies the objects to the keys of the next generation while the transaction has locked the rows, commits, and then
// deletes the objects of before. So the renditions are never lost: until the commit they are where they were. After it nobody
// is given an address of the old ones, and relay deletes them within a minute if this process could not.
type Renditions struct {
	objects Objects
	log     *slog.Logger
}

// NewRenditions returns the Renditions in objects.
func NewRenditions(objects Objects, log *slog.Logger) *Renditions {
	return &Renditions{objects: objects, log: log}
}

// move returns the statement that gives processed pictures their next generation. Its parameters begin with $1.
func move(set, where string) string {
	return `WITH before AS (SELECT id, generation FROM uploads
			WHERE state = 'processed' AND (deletion IS NULL OR deletion = 'original') AND ` + where + ` ORDER BY id FOR NO KEY UPDATE)
		UPDATE uploads u SET generation = greatest(u.generation, u.generation_taken) + 1, stale_from = coalesce(u.stale_from, u.generation)` + set + `
		FROM before b WHERE u.id = b.id RETURNING u.id, stale_from, b.generation, u.generation`
}

const (
	ofImage  = `id = (SELECT upload_id FROM report_images WHERE id = $1)`
	ofReport = `id IN (SELECT upload_id FROM report_images WHERE report_id = $1 AND deleted_at IS NULL)`
)

// moved is a picture whose renditions got another generation.
type moved struct {
	ID         uuid.UUID
	StaleFrom  int // the oldest generation that may still be stored
	Before     int // the generation that is copied
	Generation int
}

// Move moves the renditions of a picture, which image names in its report.
func (r *Renditions) Move(tx *outbox.Tx, image uuid.UUID) *Moving {
	return r.move(tx, []Rendition{Display, Thumbnail}, move("", ofImage), image)
}

// MoveOfReport moves the renditions of all pictures of a report that had the status from: it is taken down. Those of a report
// that the public was never shown stay.
func (r *Renditions) MoveOfReport(tx *outbox.Tx, about uuid.UUID, from report.Status) *Moving {
	const shown = ` AND ($2 <> 'pending' OR ` + report.PublishedSQL + ` OR EXISTS (SELECT FROM report_status_history h
		WHERE h.report_id = $1 AND h.new_status NOT IN ('pending', 'rejected')))`
	return r.move(tx, []Rendition{Display, Thumbnail}, move("", ofReport+shown), about, from)
}

// Redact moves the large rendition of a picture, for the images worker to make it anew. The worker needs a message.
func (r *Renditions) Redact(tx *outbox.Tx, image uuid.UUID) *Moving {
	const redacting = `, state = 'redacting', display_sha256 = NULL, thumbnail_sha256 = NULL, blurhash = NULL, processed_at = now()`
	return r.move(tx, []Rendition{Display}, move(redacting, ofImage), image)
}

// DeleteStale deletes what a move of before could not: the renditions of the generations from staleFrom on before generation. It
// does nothing for nil.
func (r *Renditions) DeleteStale(tx *outbox.Tx, id uuid.UUID, staleFrom *int, generation int) *Moving {
	out := &Moving{}
	if staleFrom != nil {
		tx.AfterCommit(func(ctx context.Context) { out.err = r.delete(ctx, RenditionKeys(id, *staleFrom, generation)) })
	}
	return out
}

// Moving says what became of a move, after the commit.
type Moving struct{ err error }

// Err is the error with which objects of before could not be deleted; relay will delete them. It is nil before the commit.
func (m *Moving) Err() error {
	if m == nil {
		return nil
	}
	return m.err
}

func (r *Renditions) move(tx *outbox.Tx, keep []Rendition, statement string, args ...any) *Moving {
	out := &Moving{}
	found := database.AskRows(tx, pgx.RowToStructByPos[moved], statement, args...)
	tx.BeforeCommit(func(ctx context.Context) error {
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		return r.copyAll(ctx, found.Get(), keep)
	})
	tx.AfterCommit(func(ctx context.Context) {
		for _, p := range found.Get() {
			out.err = errors.Join(out.err, r.delete(ctx, RenditionKeys(p.ID, p.StaleFrom, p.Generation)))
		}
	})
	return out
}

// copyAll copies the renditions of before to the keys of the present generation. One that is missing stays missing.
func (r *Renditions) copyAll(ctx context.Context, pictures []moved, keep []Rendition) error {
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(parallel)
	for _, p := range pictures {
		for _, rendition := range keep {
			calls.Go(func() error {
				err := r.objects.Copy(ctx, RenditionKey(p.ID, p.Before, rendition), RenditionKey(p.ID, p.Generation, rendition))
				if errors.Is(err, storage.ErrNotFound) {
					r.log.WarnContext(ctx, "a rendition is missing", "upload_id", p.ID, "rendition", string(rendition))
					return nil
				}
				return err
			})
		}
	}
	if err := calls.Wait(); err != nil {
		return problem.New(problem.Unavailable, "unavailable").After(2 * time.Second).Because(fmt.Errorf("move renditions: %w", err))
	}
	return nil
}

// parallel bounds the calls to storage at the same time.
const parallel = 8

// delete deletes objects for good. An error is logged: relay tries again.
func (r *Renditions) delete(ctx context.Context, keys []string) error {
	var calls errgroup.Group
	calls.SetLimit(parallel)
	for _, key := range keys {
		calls.Go(func() error { return r.objects.DeleteVersions(ctx, key) })
	}
	err := calls.Wait()
	if err != nil {
		r.log.WarnContext(ctx, "renditions are not deleted yet; relay will delete them", "error", err)
	}
	return err
}
