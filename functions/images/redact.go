package images

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/upload"
)

// redaction is a picture that needs parts of it made black. It is in the state redacting until that is done; nobody is shown it.
type redaction struct {
	ID         uuid.UUID
	Report     uuid.UUID
	Generation int    // of the large rendition that it is made of when the original is gone
	Made       int    // the generation that this attempt alone writes
	Boxes      string // JSON: a []report.Box
	Original   []byte // SHA-256 of the original that was processed
}

// redact makes a picture anew with parts of it black, and records it with an event of its report. relay deletes the original
// and the renditions of before.
func (w *Worker) redact(ctx context.Context, id uuid.UUID) error {
	r, err := w.beginRedaction(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // it was made, or taken away
	}
	if err != nil {
		return fmt.Errorf("find picture to redact: %w", err)
	}
	var boxes []report.Box
	if err := json.Unmarshal([]byte(r.Boxes), &boxes); err != nil {
		return fmt.Errorf("read boxes: %w", err)
	}
	source, err := w.source(ctx, r)
	if errors.Is(err, storage.ErrNotFound) {
		return w.recordLost(ctx, r)
	}
	if err != nil {
		return err
	}
	for _, box := range boxes {
		source.blacken(box)
	}
	made := &rendered{}
	if err := made.renditions(source); err != nil {
		return err
	}
	jpeg := upload.JPEG.ContentType()
	if err := w.objects.Put(ctx, upload.RenditionKey(r.ID, r.Made, upload.Display), jpeg, made.display); err != nil {
		return err
	}
	if err := w.objects.Put(ctx, upload.RenditionKey(r.ID, r.Made, upload.Thumbnail), jpeg, made.thumbnail); err != nil {
		return err
	}
	err = w.recordRedacted(ctx, r, made)
	if errors.Is(err, errRedactedAgain) {
		return errors.Join(err, w.discardRedaction(ctx, r))
	}
	return err
}

// beginRedaction reads a picture to redact, and takes the next generation for this attempt. Two attempts never write the same
// object: so one that is late cannot replace what another has recorded. It fails with pgx.ErrNoRows if nothing is to be made.
func (w *Worker) beginRedaction(ctx context.Context, id uuid.UUID) (redaction, error) {
	const begin = `
		UPDATE uploads u SET generation_taken = greatest(u.generation, u.generation_taken) + 1 FROM report_images i
		 WHERE i.upload_id = u.id AND u.id = $1 AND u.state = 'redacting' AND (u.deletion IS NULL OR u.deletion = 'original')
		   AND i.deleted_at IS NULL AND i.boxes IS NOT NULL
		RETURNING u.id, i.report_id, u.generation, u.generation_taken, i.boxes::text, u.original_sha256`
	rows, err := w.db.Query(ctx, begin, id)
	if err != nil {
		return redaction{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[redaction])
}

// discardRedaction deletes what an attempt wrote and could not record. After a crash relay deletes it.
func (w *Worker) discardRedaction(ctx context.Context, r redaction) error {
	var failed error
	for _, key := range upload.RenditionKeys(r.ID, r.Made, r.Made+1) {
		failed = errors.Join(failed, w.objects.Delete(ctx, key))
	}
	return failed
}

// source is the upright picture in the size of the large rendition: from the original while there is one and it is the file
// that was processed, else from the large rendition.
func (w *Worker) source(ctx context.Context, r redaction) (planes, error) {
	file, err := w.objects.Read(ctx, upload.OriginalKey(r.ID), upload.MaxStored)
	if err == nil {
		if sum := sha256.Sum256(file); bytes.Equal(sum[:], r.Original) {
			if display, _, err := uprightOf(file); err == nil {
				return display, nil
			}
		}
	} else if !errors.Is(err, storage.ErrNotFound) && !errors.Is(err, storage.ErrTooLarge) {
		return planes{}, err
	}
	file, err = w.objects.Read(ctx, upload.RenditionKey(r.ID, r.Generation, upload.Display), upload.MaxStored)
	if err != nil {
		return planes{}, err
	}
	display, _, err := uprightOf(file)
	return display, err
}

// blacken makes a part of the picture black: each pixel that the box touches, and each sample of colour that covers one.
func (p planes) blacken(b report.Box) {
	w, h := float64(p.w), float64(p.h)
	x0, x1 := int(math.Floor(b.X*w)), int(math.Ceil((b.X+b.Width)*w))
	y0, y1 := int(math.Floor(b.Y*h)), int(math.Ceil((b.Y+b.Height)*h))
	p.y.fill(x0, y0, x1, y1, 0)
	if !p.grey() {
		p.cb.fill(x0/2, y0/2, (x1+1)/2, (y1+1)/2, 128)
		p.cr.fill(x0/2, y0/2, (x1+1)/2, (y1+1)/2, 128)
	}
}

// fill sets the samples from x0, y0 up to, and without, x1, y1. What is outside of the plane is left out.
func (p plane) fill(x0, y0, x1, y1 int, v uint8) {
	x0, x1 = max(0, x0), min(p.w, x1)
	for y := max(0, y0); y < min(p.h, y1); y++ {
		for x := x0; x < x1; x++ {
			p.pix[y*p.stride+x] = v
		}
	}
}

// errRedactedAgain reports that the picture or its boxes are others than those that were read.
var errRedactedAgain = errors.New("the redaction changed meanwhile")

// recordRedacted has the picture shown again as it is now. It fails with errRedactedAgain, and changes nothing, if there are
// other boxes now; the message then comes again.
func (w *Worker) recordRedacted(ctx context.Context, r redaction, made *rendered) error {
	thumbnail := sha256.Sum256(made.thumbnail)
	const update = `
		UPDATE uploads u SET state = 'processed', generation = $10, stale_from = coalesce(stale_from, generation), width = $4, height = $5,
			blurhash = $6, display_sha256 = $7, thumbnail_sha256 = $8, perceptual_hash = $9, deletion = 'original', processed_at = now()
		 WHERE id = $1 AND state = 'redacting' AND generation = $2 AND (deletion IS NULL OR deletion = 'original')
		   AND EXISTS (SELECT FROM report_images i WHERE i.upload_id = u.id AND i.deleted_at IS NULL AND i.boxes = $3::jsonb)`
	return w.endRedaction(ctx, r, update, r.ID, r.Generation, r.Boxes, made.width, made.height, made.blurhash, made.displaySHA[:], thumbnail[:], int64(made.perceptual), r.Made)
}

// recordLost ends the redaction of a picture whose files do not exist any more.
func (w *Worker) recordLost(ctx context.Context, r redaction) error {
	w.log.ErrorContext(ctx, "picture to redact does not exist", "upload_id", r.ID)
	const update = `UPDATE uploads SET state = 'refused', refusal = $3, processed_at = now() WHERE id = $1 AND state = 'redacting' AND generation = $2`
	return w.endRedaction(ctx, r, update, r.ID, r.Generation, string(upload.Broken))
}

func (w *Worker) endRedaction(ctx context.Context, r redaction, update string, args ...any) error {
	return w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		tx.Queue(`SELECT FROM reports WHERE id = $1 FOR NO KEY UPDATE`, r.Report)
		tag, err := tx.Exec(ctx, update, args...)
		if err != nil {
			return fmt.Errorf("record redaction: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errRedactedAgain
		}
		tx.Queue(`UPDATE reports SET updated_at = now() WHERE id = $1`, r.Report)
		return ledger.Amend(ctx, tx, r.Report)
	})
}
