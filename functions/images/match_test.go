package images

import (
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// Whichever bits differ, and with any number of other pictures.
func TestAllSimilarPicturesAreFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	random := rand.New(rand.NewPCG(1, 2))
	subject := &rendered{perceptual: 0x5a5a_c3c3_9669_0ff0}
	b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, perceptual_hash, attached_at, expires_at)
		SELECT gen_random_uuid(), $1, 'originals/crowd-' || n, 'image/jpeg', 1, 'processed',
			('x' || left(md5(n::text), 16))::bit(64)::bigint, now(), now() FROM generate_series(1, 50000) n`, b.person)
	b.exec(`ANALYZE uploads`)
	for distance := range maxHashDistance + 3 {
		for range 12 {
			earlier, later := database.NewID(), database.NewID()
			flipped := subject.perceptual
			for bits.OnesCount64(flipped^subject.perceptual) < distance {
				flipped ^= 1 << random.IntN(64)
			}
			for id, hash := range map[uuid.UUID]any{earlier: int64(flipped), later: nil} {
				b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, perceptual_hash, attached_at, expires_at)
					VALUES ($1, $2, $3, 'image/jpeg', 1, 'processed', $4, now(), now())`, id, b.person, key(id), hash)
			}
			if err := pgx.BeginFunc(t.Context(), b.db, func(tx pgx.Tx) error { return storeMatches(t.Context(), tx, later, subject) }); err != nil {
				t.Fatal(err)
			}
			got := one[int](b, `SELECT coalesce(max(distance), -1) FROM picture_matches WHERE upload_id = $1 AND earlier_id = $2`, later, earlier)
			want := distance
			if distance > maxHashDistance {
				want = -1
			}
			if got != want {
				t.Errorf("%016x and %016x, %d bits apart: %d recorded, want %d", subject.perceptual, flipped, distance, got, want)
			}
			b.exec(`DELETE FROM uploads WHERE id = $1`, earlier)
		}
	}
	rows, err := b.db.Query(t.Context(), `EXPLAIN `+matchSQL, database.NewID(), []byte{1}, int64(subject.perceptual), true, maxHashDistance,
		withinOneBit(1), withinOneBit(2), withinOneBit(3), withinOneBit(4))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(plan, "\n"); strings.Contains(text, "Seq Scan") || strings.Count(text, "uploads_perceptual_part_") < 4 {
		t.Errorf("the query reads every upload:\n%s", text)
	}
}
