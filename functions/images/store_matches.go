package images

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
)

const (
	// maxHashDistance is how many bits the hashes of two similar pictures may differ in.
	maxHashDistance = 6
	// minSetBits is the least number of set bits, and of bits not set, of a hash that is compared. Other hashes belong to
	// plain or dark pictures and match by accident.
	minSetBits = 8
)

// matchSQL stores up to ten earlier uploads that are the same file as $1 or whose
// hash differs from $3 in at most $5 bits. $4 is false if hashes are not compared.
// $6 to $9 are the values that each 16-bit part of a hash may have, from the highest
// part to the lowest; each part has an index.
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
