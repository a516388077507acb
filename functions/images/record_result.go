package images

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/upload"
)

// find returns the upload with this S3 key, or pgx.ErrNoRows.
func (w *Worker) find(ctx context.Context, key string) (original, error) {
	const q = `
		SELECT u.id, u.user_id, u.size_bytes, u.sha256, u.state, u.generation, u.deletion IS NOT NULL OR ` + ownerErased + `
		FROM uploads u WHERE u.s3_key = $1`
	var u original
	if err := w.db.QueryRow(ctx, q, key).Scan(&u.id, &u.userID, &u.size, &u.sha256, &u.state, &u.generation, &u.discarded); err != nil {
		return original{}, fmt.Errorf("find upload: %w", err)
	}
	return u, nil
}

// ownerErased is true for an upload u of a person who deleted the account.
const ownerErased = `EXISTS (SELECT FROM users o WHERE o.id = u.user_id AND o.deleted_at IS NOT NULL)`

// kept is true for an upload u whose bytes may be used. An erasure that commits at the same time sets deletion.
const kept = `u.deletion IS NULL AND NOT ` + ownerErased

// discard requests that relay deletes the files of an upload. Its bytes came after its owner deleted the account, or after it
// was taken off its report. Of a picture that was processed before that and stays in a report, only the original goes.
// Nothing else is kept of the bytes, and nobody is told.
func (w *Worker) discard(ctx context.Context, u original) error {
	stays := false
	err := w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		const q = `
			UPDATE uploads SET exif_latitude = NULL, exif_longitude = NULL, exif_taken_at = NULL,
				deletion = CASE WHEN state = 'processed' AND attached_at IS NOT NULL AND deletion IS DISTINCT FROM 'all' AND deletion IS DISTINCT FROM 'gone'
				                THEN 'original' ELSE 'all' END,
				processed_at = CASE WHEN state IN ('issued', 'stored') THEN now() ELSE processed_at END,
				state = CASE WHEN state IN ('issued', 'stored') THEN 'refused' ELSE state END
			WHERE id = $1 RETURNING deletion = 'original'`
		if err := tx.QueryRow(ctx, q, u.id).Scan(&stays); err != nil {
			return fmt.Errorf("discard upload: %w", err)
		}
		if stays {
			return nil
		}
		return requestValidation(ctx, tx, u.id)
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) || stays {
		return err
	}
	return w.removeRenditions(ctx, u)
}

// checkDeclared refuses a file that differs from the announced one. A presigned URL is
// good for one picture only.
func (u original) checkDeclared(file []byte) error {
	if int64(len(file)) != u.size {
		return upload.Refuse(upload.NotAsDeclared, fmt.Sprintf("%d bytes instead of %d", len(file), u.size))
	}
	if sum := sha256.Sum256(file); u.sha256 != nil && !bytes.Equal(sum[:], u.sha256) {
		return upload.Refuse(upload.NotAsDeclared, "another SHA-256")
	}
	return nil
}

// errAttached reports that the upload became a picture of a report while it was recorded.
var errAttached = errors.New("the upload was attached meanwhile")

// recordProcessed records the picture, with an event of its report, and requests the validation of the report. It returns
// false if the upload is not waiting for its bytes any more, or may not keep them; then it changes nothing.
//
// It locks the report first, as all changes of a report do. It updates the row of uploads before it looks for the report
// again. Attaching a picture locks the same row, so either this transaction sees the report and begins again, or the
// attaching transaction sees the processed picture.
func (w *Worker) recordProcessed(ctx context.Context, u original, made *rendered) (bool, error) {
	recorded, err := w.recordOnce(ctx, u, made)
	if errors.Is(err, errAttached) {
		recorded, err = w.recordOnce(ctx, u, made)
	}
	return recorded, err
}

func (w *Worker) recordOnce(ctx context.Context, u original, made *rendered) (bool, error) {
	recorded := false
	before, err := pictureOf(ctx, w.db, u.id)
	if err != nil {
		return false, err
	}
	err = w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		if before != nil {
			tx.Queue(`SELECT FROM reports WHERE id = $1 FOR NO KEY UPDATE`, before.Report)
		}
		const update = `
			UPDATE uploads u SET state = 'processed', content_type = $2, width = $3, height = $4, blurhash = $5,
				original_sha256 = $6, display_sha256 = $7, perceptual_hash = $8,
				exif_latitude = $9, exif_longitude = $10, exif_taken_at = $11, thumbnail_sha256 = $12, processed_at = now()
			WHERE id = $1 AND state IN ('issued', 'stored') AND ` + kept
		thumbnail := sha256.Sum256(made.thumbnail)
		tag, err := tx.Exec(ctx, update, u.id, made.format.ContentType(), made.width, made.height, made.blurhash,
			made.original[:], made.displaySHA[:], int64(made.perceptual),
			made.signals.latitude, made.signals.longitude, made.signals.takenAt, thumbnail[:])
		if err != nil {
			return fmt.Errorf("record picture: %w", err)
		}
		if recorded = tag.RowsAffected() == 1; !recorded {
			return nil
		}
		return w.recordOnReport(ctx, tx, u, made, before)
	})
	return recorded, err
}

// recordOnReport writes the event of the report that has the picture, and asks for its verdict. before is the picture as it was
// read before the transaction. It fails with errAttached if a report got the picture since.
func (w *Worker) recordOnReport(ctx context.Context, tx *outbox.Tx, u original, made *rendered, before *picture) error {
	now, err := pictureOf(ctx, tx, u.id)
	if err != nil {
		return err
	}
	if now != nil && before == nil {
		return errAttached
	}
	if err := storeMatches(ctx, tx, u.id, made); err != nil || now == nil {
		return err
	}
	if err := ledger.Amend(ctx, tx, now.Report); err != nil || !now.Judged {
		return err
	}
	return tx.Send(ctx, queue.Validate, queue.ValidateMessage{ReportID: now.Report})
}

// recordRefusal records why the picture was refused and notifies the owner. It also
// requests the validation of the report, if there is one, because the report now has
// no picture.
func (w *Worker) recordRefusal(ctx context.Context, u original, why *upload.Refusal) error {
	recorded := false
	w.log.InfoContext(ctx, "picture refused", "upload_id", u.id, "code", string(why.Code), "cause", why.Error())
	err := w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		const update = `UPDATE uploads u SET state = 'refused', refusal = $2, processed_at = now() WHERE id = $1 AND state IN ('issued', 'stored') AND ` + kept
		tag, err := tx.Exec(ctx, update, u.id, string(why.Code))
		if err != nil {
			return fmt.Errorf("record refusal: %w", err)
		}
		if recorded = tag.RowsAffected() == 1; !recorded {
			return nil
		}
		shown, err := pictureOf(ctx, tx, u.id)
		if err != nil {
			return err
		}
		if err := tellOwner(ctx, tx, u, why, shown); err != nil {
			return err
		}
		return requestValidation(ctx, tx, u.id)
	})
	if err != nil || recorded {
		return err
	}
	return w.notRecorded(ctx, u)
}

// tellOwner notifies the person who sent a refused picture. Nobody is told of one that another system sent.
func tellOwner(ctx context.Context, tx *outbox.Tx, u original, why *upload.Refusal, shown *picture) error {
	if u.userID == nil {
		return nil
	}
	refused := notification.New{UserID: *u.userID, Type: notification.Announcement, EventKey: "upload_refused:" + u.id.String(),
		Params: map[string]string{notification.ParamAnnouncement: "image_refused", notification.ParamReason: string(why.Code)}}
	if shown != nil && shown.Judged {
		refused.ReportID = shown.Report
	}
	return notification.Add(ctx, tx, refused)
}

// notRecorded ends the work on an upload that changed meanwhile: another delivery has recorded it, or it was taken away.
func (w *Worker) notRecorded(ctx context.Context, u original) error {
	now, err := w.find(ctx, storage.Originals+u.id.String())
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return w.removeRenditions(ctx, u)
	case err != nil:
		return err
	case now.discarded:
		return w.discard(ctx, now)
	}
	return nil
}

// requestValidation sends a message to the validate queue if the upload is a picture
// of a report that needs a verdict.
func requestValidation(ctx context.Context, tx *outbox.Tx, id uuid.UUID) error {
	found, err := pictureOf(ctx, tx, id)
	if err != nil || found == nil || !found.Judged {
		return err
	}
	return tx.Send(ctx, queue.Validate, queue.ValidateMessage{ReportID: found.Report})
}

// picture says of which report an upload is a picture.
type picture struct {
	Report uuid.UUID
	Judged bool // it needs a verdict
}

// pictureOf returns the report that the upload is a picture of, or nil.
func pictureOf(ctx context.Context, q database.Querier, id uuid.UUID) (*picture, error) {
	const find = `SELECT report_id, kind <> 'resolution' FROM report_images WHERE upload_id = $1 AND deleted_at IS NULL`
	rows, err := q.Query(ctx, find, id)
	if err != nil {
		return nil, fmt.Errorf("find report of upload: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[picture])
	if err != nil {
		return nil, fmt.Errorf("find report of upload: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return &found[0], nil
}

const (
	// maxHashDistance is how many bits the hashes of two similar pictures may differ in.
	maxHashDistance = 6
	// minSetBits is the least number of set bits, and of bits not set, of a hash that is compared. Other hashes belong to
	// plain or dark pictures and match by accident.
	minSetBits = 8
)

// matchSQL stores up to ten other uploads that are the same file as $1 or whose
// hash differs from $3 in at most $5 bits. $4 is false if hashes are not compared.
// $6 to $9 are the values that each 16-bit part of a hash may have, from the highest
// part to the lowest; each part has an index. The same file may not be processed
// yet: then it has no perceptual hash, and its distance is 0 nevertheless.
const matchSQL = `
	INSERT INTO picture_matches (upload_id, earlier_id, same_file, distance)
	SELECT $1, u.id, coalesce(u.original_sha256 = $2, false),
	       CASE WHEN u.original_sha256 = $2 THEN 0 ELSE bit_count((u.perceptual_hash # $3)::bit(64)) END
	FROM uploads u
	WHERE u.id <> $1 AND u.attached_at IS NOT NULL
	  AND (u.original_sha256 = $2 OR $4 AND bit_count((u.perceptual_hash # $3)::bit(64)) <= $5 AND u.perceptual_hash IS NOT NULL AND (
		(u.perceptual_hash >> 48 & 65535) = ANY($6::bigint[]) OR (u.perceptual_hash >> 32 & 65535) = ANY($7::bigint[]) OR
		(u.perceptual_hash >> 16 & 65535) = ANY($8::bigint[]) OR (u.perceptual_hash & 65535) = ANY($9::bigint[])))
	ORDER BY 4, u.created_at LIMIT 10
	ON CONFLICT DO NOTHING`

// storeMatches stores earlier uploads of the same or nearly the same picture.
func storeMatches(ctx context.Context, tx database.Querier, id uuid.UUID, made *rendered) error {
	ones := bits.OnesCount64(made.perceptual)
	distinctive := ones >= minSetBits && ones <= 64-minSetBits
	_, err := tx.Exec(ctx, matchSQL, id, made.original[:], int64(made.perceptual), distinctive, maxHashDistance,
		withinOneBit(made.perceptual>>48), withinOneBit(made.perceptual>>32), withinOneBit(made.perceptual>>16), withinOneBit(made.perceptual))
	if err != nil {
		return fmt.Errorf("store matches of picture: %w", err)
	}
	return nil
}

// withinOneBit returns the lowest 16 bits of a hash and the 16 values that differ from
// them in one bit. If two hashes differ in at most 7 bits, at least one of their four
// parts differs in at most one bit. So a search for these values finds every match.
func withinOneBit(part uint64) []int64 {
	part &= 1<<16 - 1
	out := []int64{int64(part)}
	for bit := range 16 {
		out = append(out, int64(part^1<<bit))
	}
	return out
}
