package fsck

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/upload"
)

// maxPicture is the limit for reading a rendition, in bytes. Renditions are smaller.
const maxPicture = 16 << 20

// pictureRow is a processed picture of a report.
type pictureRow struct {
	ImageID    uuid.UUID
	UploadID   uuid.UUID
	Generation int
	Number     string
	Display    []byte // SHA-256 of the large rendition
	Thumbnail  []byte // SHA-256 of the small one; nil for a picture that an earlier version processed
}

// pictures compares the hashes of both renditions of every picture with the recorded ones. The
// check of the records has compared the recorded hashes with the events.
func (c *Check) pictures(ctx context.Context) error {
	if c.Pictures == nil {
		return nil
	}
	const query = `
SELECT i.id, i.upload_id, u.generation, r.report_number, u.display_sha256, u.thumbnail_sha256
FROM report_images i JOIN uploads u ON u.id = i.upload_id JOIN reports r ON r.id = i.report_id
WHERE i.id > $1 AND i.deleted_at IS NULL AND r.deleted_at IS NULL AND u.display_sha256 IS NOT NULL
ORDER BY i.id LIMIT $2`
	var last uuid.UUID
	for {
		rows, err := c.DB.Query(ctx, query, last, pageSize)
		if err != nil {
			return fmt.Errorf("fsck: list pictures: %w", err)
		}
		page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[pictureRow])
		if err != nil {
			return fmt.Errorf("fsck: list pictures: %w", err)
		}
		for _, p := range page {
			if err := c.picture(ctx, p); err != nil {
				return err
			}
			last = p.ImageID
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

func (c *Check) picture(ctx context.Context, p pictureRow) error {
	c.result.Pictures++
	if err := c.rendition(ctx, p.Number, upload.RenditionKey(p.UploadID, p.Generation, upload.Display), p.Display); err != nil || p.Thumbnail == nil {
		return err
	}
	return c.rendition(ctx, p.Number, upload.RenditionKey(p.UploadID, p.Generation, upload.Thumbnail), p.Thumbnail)
}

func (c *Check) rendition(ctx context.Context, number, key string, hash []byte) error {
	body, err := c.Pictures.Read(ctx, key, maxPicture)
	switch {
	case errors.Is(err, storage.ErrNotFound), errors.Is(err, storage.ErrTooLarge):
		c.find(number, "images", "picture %s: %s", key, err)
		return nil
	case err != nil:
		return fmt.Errorf("fsck: read picture %s: %w", key, err)
	}
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], hash) {
		c.find(number, "images", "picture %s was changed: its hash is %x, the recorded one is %x", key, sum, hash)
	}
	return nil
}
