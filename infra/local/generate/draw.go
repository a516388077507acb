package generate

import (
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// The kinds of rows. Rows of different kinds never share a stream of random numbers.
const (
	ofReport uint64 = iota + 1
	ofPerson
	ofJourney
	ofCluster
	ofVector
	ofNotice
)

// draw is the stream of random numbers of the i-th row of a kind.
func (w *dataset) draw(kind uint64, i int) *rand.Rand {
	return rand.New(rand.NewPCG(w.Seed^kind<<56, uint64(i)))
}

// newID is a UUIDv7 with a given time.
func newID(at time.Time, r *rand.Rand) uuid.UUID {
	var id uuid.UUID
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	high, low := r.Uint64(), r.Uint64()
	for i := range 2 {
		id[6+i] = byte(high >> (8 * i))
	}
	for i := range 8 {
		id[8+i] = byte(low >> (8 * i))
	}
	id[6] = 0x70 | id[6]&0x0f
	id[8] = 0x80 | id[8]&0x3f
	return id
}

func bytes32(r *rand.Rand) []byte {
	out := make([]byte, 0, 32)
	for range 4 {
		for v, i := r.Uint64(), 0; i < 8; i++ {
			out = append(out, byte(v>>(8*i)))
		}
	}
	return out
}

// weighted is a choice with its weight.
type weighted[T any] struct {
	value  T
	weight float64
}

func pick[T any](r *rand.Rand, from []weighted[T]) T {
	var sum float64
	for _, w := range from {
		sum += w.weight
	}
	at := r.Float64() * sum
	for _, w := range from {
		if at -= w.weight; at < 0 {
			return w.value
		}
	}
	return from[len(from)-1].value
}

func one(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }
