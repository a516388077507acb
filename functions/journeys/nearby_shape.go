package journeys

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/lafaekstreet/backend/functions/journeys/track"
)

// shape is a marker, a leg or a stretch of a track.
type shape struct {
	journeyID   uuid.UUID
	source      uuid.UUID
	seq         int
	first, next *time.Time // its first day and the one after its last; nil for no days
	wkb         []byte
}

// shapeName identifies a shape.
type shapeName struct {
	source uuid.UUID
	seq    int
}

// forEachShape reads rows of a number, shapeColumns and the shape in WKB, and calls f for each. The bytes of a shape are valid
// during the call only. It reports whether a number came as often as the limit says, so that there may be more.
func forEachShape(rows pgx.Rows, limit int, f func(shape) error) (bool, error) {
	var (
		s      shape
		raw    pgtype.DriverBytes
		number int
		more   bool
		counts = map[int]int{}
	)
	_, err := pgx.ForEachRow(rows, []any{&number, &s.journeyID, &s.source, &s.seq, &s.first, &s.next, &raw}, func() error {
		counts[number]++
		more = more || counts[number] == limit
		s.wkb = raw
		return f(s)
	})
	if err != nil {
		return more, fmt.Errorf("read shapes: %w", err)
	}
	return more, nil
}

// prepared returns the shape for measuring.
func (s shape) prepared() (*track.Shape, error) {
	line, err := track.LineOfWKB(s.wkb)
	if err != nil {
		return nil, err
	}
	return track.NewShape(line)
}
