package upgrade

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/upload"
)

// Pictures reads the small renditions. It fails with storage.ErrNotFound for a missing one.
type Pictures interface {
	Read(ctx context.Context, key string, limit int64) ([]byte, error)
}

const (
	// maxThumbnail is the longest small rendition that is read, in bytes.
	maxThumbnail = 1 << 20
	// readers is the number of renditions that are read at once.
	readers = 16
)

// thumbnails stores the hash of each small rendition: the first version stored that of the large one alone. A rendition that is
// missing stays without a hash. It keeps no place: what has a hash is done.
func (u *Upgrade) thumbnails(ctx context.Context) error {
	if u.Pictures == nil {
		return nil
	}
	var last uuid.UUID
	for {
		if late(ctx) {
			return ErrMoreTime
		}
		const list = `
SELECT id, generation FROM uploads WHERE id > $1 AND thumbnail_sha256 IS NULL AND display_sha256 IS NOT NULL AND deletion IS NULL ORDER BY id LIMIT $2`
		rows, _ := u.DB.Query(ctx, list, last, pageSize)
		pictures, err := pgx.CollectRows(rows, pgx.RowToStructByPos[picture])
		if err != nil {
			return fmt.Errorf("list pictures: %w", err)
		}
		if len(pictures) == 0 {
			return nil
		}
		last = pictures[len(pictures)-1].ID
		ids := make([]uuid.UUID, len(pictures))
		for i, p := range pictures {
			ids[i] = p.ID
		}
		hashes, err := u.hashes(ctx, pictures)
		if err != nil {
			return err
		}
		const store = `UPDATE uploads SET thumbnail_sha256 = h FROM unnest($1::uuid[], $2::bytea[]) AS x (id, h) WHERE uploads.id = x.id AND h IS NOT NULL`
		if _, err := u.DB.Exec(ctx, store, ids, hashes); err != nil {
			return fmt.Errorf("store hashes of pictures: %w", err)
		}
	}
}

// picture is a processed upload.
type picture struct {
	ID         uuid.UUID
	Generation int
}

// hashes returns the hash of each small rendition, nil for a missing one.
func (u *Upgrade) hashes(ctx context.Context, pictures []picture) ([][]byte, error) {
	out, errs := make([][]byte, len(pictures)), make([]error, len(pictures))
	turns := make(chan struct{}, readers)
	var wg sync.WaitGroup
	for i, p := range pictures {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			raw, err := u.Pictures.Read(ctx, upload.RenditionKey(p.ID, p.Generation, upload.Thumbnail), maxThumbnail)
			if errors.Is(err, storage.ErrNotFound) {
				return
			}
			sum := sha256.Sum256(raw)
			out[i], errs[i] = sum[:], err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("read pictures: %w", err)
	}
	return out, nil
}
