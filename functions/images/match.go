package images

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
)

// Near pictures: at most so many bits apart, and the hash of neither is one that
// any dull or dark picture has.
const (
	nearBits = 6
	fewBits  = 8
)

// matchSQL notes up to ten earlier uploads that are the same file as $1 or whose
// hash is at most $5 bits from $3. The parts of hashes that may match are $6 to
// $9, from the highest down; each has its index.
const matchSQL = `
	INSERT INTO picture_matches (upload_id, earlier_id, same_file, distance)
	SELECT $1, u.id, coalesce(u.original_sha256 = $2, false), bit_count((u.perceptual_hash # $3)::bit(64))
	FROM uploads u
	WHERE u.id <> $1 AND u.attached_at IS NOT NULL
	  AND (u.original_sha256 = $2 OR $4 AND bit_count((u.perceptual_hash # $3)::bit(64)) <= $5 AND u.perceptual_hash IS NOT NULL AND (
		(u.perceptual_hash >> 48 & 65535) = ANY($6::bigint[]) OR (u.perceptual_hash >> 32 & 65535) = ANY($7::bigint[]) OR
		(u.perceptual_hash >> 16 & 65535) = ANY($8::bigint[]) OR (u.perceptual_hash & 65535) = ANY($9::bigint[])))
	ORDER BY 4, u.created_at LIMIT 10
	ON CONFLICT DO NOTHING`

// match notes earlier uploads of the same or nearly the same picture.
func match(ctx context.Context, tx database.Querier, id uuid.UUID, made *rendered) error {
	ones := bits.OnesCount64(made.perceptual)
	telling := ones >= fewBits && ones <= 64-fewBits
	_, err := tx.Exec(ctx, matchSQL, id, made.original[:], int64(made.perceptual), telling, nearBits,
		near(made.perceptual>>48), near(made.perceptual>>32), near(made.perceptual>>16), near(made.perceptual))
	if err != nil {
		return fmt.Errorf("look for earlier pictures: %w", err)
	}
	return nil
}

// near are the values of a hash's lowest 16 bits with at most one of them
// changed. Of two hashes at most 7 bits apart, one of the four parts differs in
// at most one bit, so asking for these of each part misses none of them.
func near(part uint64) []int64 {
	part &= 1<<16 - 1
	out := []int64{int64(part)}
	for bit := range 16 {
		out = append(out, int64(part^1<<bit))
	}
	return out
}
