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

type pictureRow struct {
	ImageID  uuid.UUID
	UploadID uuid.UUID
	Number   string
	Hash     []byte
}

// pictures compares the hash of every public rendition with the recorded one. The
// check of the records has compared the recorded hash with the events.
func (c *Check) pictures(ctx context.Context) error {
	if c.Pictures == nil {
		return nil
	}
	const query = `
SELECT i.id, i.upload_id, r.report_number, u.display_sha256
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
	key := upload.RenditionKey(p.UploadID, upload.Display)
	body, err := c.Pictures.Read(ctx, key, maxPicture)
	c.result.Pictures++
	switch {
	case errors.Is(err, storage.ErrNotFound), errors.Is(err, storage.ErrTooLarge):
		return c.find(p.Number, "images", "picture %s: %s", key, err)
	case err != nil:
		return fmt.Errorf("fsck: read picture %s: %w", key, err)
	}
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], p.Hash) {
		return c.find(p.Number, "images", "picture %s was changed: its hash is %x, the recorded one is %x", key, sum, p.Hash)
	}
	return nil
}
