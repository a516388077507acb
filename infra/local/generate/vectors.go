package generate

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5/pgtype"
)

const dimensions = 1024

// embeddings lie around a centre for each issue type and cluster of pictures.
func (f *filler) embeddings(ctx context.Context) error {
	var oid uint32
	if err := f.conn.QueryRow(ctx, "SELECT 'vector'::regtype::oid").Scan(&oid); err != nil {
		return fmt.Errorf("look for vectors: %w", err)
	}
	f.conn.TypeMap().RegisterType(&pgtype.Type{Name: "vector", OID: oid, Codec: pgtype.ByteaCodec{}}) // vector writes the binary form
	columns := []string{"image_id", "report_id", "model", "embedding", "created_at"}
	return f.copy(ctx, "report_embeddings", columns, f.embeddedFrom(), f.Reports, func(i int, row write) {
		s := f.subject(i)
		if s.picture != nil {
			row(s.picture.image, s.id, "amazon.nova-2-multimodal-embeddings-v1:0", f.vector(i, s), s.at)
		}
	})
}

// vector is a unit vector in pgvector's binary form: the dimensions, two zero bytes, and 32-bit numbers.
func (f *filler) vector(i int, s *subject) []byte {
	kind := 0
	for n, t := range f.types {
		if t.value == s.issueType {
			kind = n
		}
	}
	centre, noise := f.draw(ofCluster, kind*8+int(uint64(s.picture.look)%8)), f.draw(ofVector, i)
	var v [dimensions]float64
	var sum float64
	for d := range v {
		v[d] = centre.NormFloat64() + 0.5*noise.NormFloat64()
		sum += v[d] * v[d]
	}
	length := math.Sqrt(sum)
	out := make([]byte, 0, 4+4*dimensions)
	out = binary.BigEndian.AppendUint16(out, dimensions)
	out = binary.BigEndian.AppendUint16(out, 0)
	for d := range v {
		out = binary.BigEndian.AppendUint32(out, math.Float32bits(float32(v[d]/length)))
	}
	return out
}
