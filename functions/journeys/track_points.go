package journeys

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/database"
)

// pointsPerRow is how many points a row of track_points has at most.
const pointsPerRow = 1000

// pointRow are points of one segment as a row of track_points has them.
type pointRow struct {
	segment    int
	lons, lats []int32
	elevations []pgtype.Float4 // nil when no point has one
	times      []pgtype.Int8   // nil when no point has one
}

// insertPoints stores all points of a track.
func insertPoints(p database.Pipeline, id uuid.UUID, t *track.Track) {
	const insert = `
		INSERT INTO track_points (track_id, seq, segment, lons, lats, elevations, times) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	seq := 0
	for segment, points := range t.Segments {
		for some := range slices.Chunk(points, pointsPerRow) {
			r := rowOf(segment, some)
			p.Queue(insert, id, seq, r.segment, r.lons, r.lats, r.elevations, r.times)
			seq++
		}
	}
}

func rowOf(segment int, points []track.Point) pointRow {
	r := pointRow{segment: segment}
	elevations, times := make([]pgtype.Float4, len(points)), make([]pgtype.Int8, len(points))
	anyElevation, anyTime := false, false
	for i, p := range points {
		lon, lat := p.Ints()
		r.lons, r.lats = append(r.lons, lon), append(r.lats, lat)
		elevations[i] = pgtype.Float4{Float32: p.Elevation, Valid: !math.IsNaN(float64(p.Elevation))}
		times[i] = pgtype.Int8{Int64: p.Time, Valid: p.Time != track.NoTime}
		anyElevation, anyTime = anyElevation || elevations[i].Valid, anyTime || times[i].Valid
	}
	if anyElevation {
		r.elevations = elevations
	}
	if anyTime {
		r.times = times
	}
	return r
}

// points returns the points of the row.
func (r *pointRow) points() []track.Point {
	out := make([]track.Point, len(r.lons))
	for i := range r.lons {
		out[i] = track.PointOf(r.lons[i], r.lats[i])
		if r.elevations != nil && r.elevations[i].Valid {
			out[i].Elevation = r.elevations[i].Float32
		}
		if r.times != nil && r.times[i].Valid {
			out[i].Time = r.times[i].Int64
		}
	}
	return out
}

// readSegments reads all points of a track.
func readSegments(ctx context.Context, q database.Querier, id uuid.UUID) ([][]track.Point, error) {
	rows, err := q.Query(ctx, `SELECT segment, lons, lats, elevations, times FROM track_points WHERE track_id = $1 ORDER BY seq`, id)
	if err != nil {
		return nil, fmt.Errorf("read points: %w", err)
	}
	defer rows.Close()
	var out [][]track.Point
	for rows.Next() {
		var r pointRow
		if err := rows.Scan(&r.segment, &r.lons, &r.lats, &r.elevations, &r.times); err != nil {
			return nil, fmt.Errorf("read points: %w", err)
		}
		if r.segment == len(out) {
			out = append(out, nil)
		}
		out[r.segment] = append(out[r.segment], r.points()...)
	}
	return out, rows.Err()
}
