package journeys

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
)

// fileRoute is a journey as a person sees it, for a file. Its points are read while the file is written.
type fileRoute struct {
	journey   journey
	markers   []marker // oldest first
	hasTracks bool     // also when the person sees none of them
	tracks    []fileTrack
}

// fileTrack is a track for a file.
type fileTrack struct {
	id      uuid.UUID
	name    string
	kind    track.Kind
	asRoute bool
	points  int
	shown   *track.Range // what others see; nil for nothing
}

// viewFor returns what the owner or somebody else sees of the track.
func (t *fileTrack) viewFor(owner bool, precisionM int) view {
	switch {
	case owner:
		return view{shown: track.Range{To: t.points - 1}}
	case t.kind == track.Planned:
		return view{shown: *t.shown, precision: precisionM}
	}
	return view{shown: *t.shown}
}

// fileTracksSQL reads the tracks of journey $1 in riding order.
const fileTracksSQL = `
	SELECT t.id, t.name, t.kind, t.as_route, t.points, t.shown_from, t.shown_to FROM tracks t WHERE t.journey_id = $1 ORDER BY ` + trackOrder

func scanFileTrack(row pgx.CollectableRow) (fileTrack, error) {
	var t fileTrack
	var from, to *int
	err := row.Scan(&t.id, &t.name, &t.kind, &t.asRoute, &t.points, &from, &to)
	if from != nil && to != nil {
		t.shown = &track.Range{From: *from, To: *to}
	}
	return t, err
}

// readFileRoute reads a journey for the caller, without the points of its tracks.
func (g *Group) readFileRoute(ctx context.Context, id uuid.UUID) (*fileRoute, error) {
	caller := identity.Must(ctx).UserID
	batch := &database.Batch{}
	j := database.AskRow(batch, scanJourney, `SELECT `+journeyColumns+` FROM journeys WHERE id = $1`, id).
		Missing(errJourneyUnknown).Check(journeyVisibleTo(caller))
	markers := database.AskRows(batch, scanMarker, markersSQL, caller, id)
	tracks := database.AskRows(batch, scanFileTrack, fileTracksSQL, id)
	if err := batch.SendSnapshot(ctx, g.db); err != nil {
		return nil, fmt.Errorf("read route: %w", err)
	}
	r := &fileRoute{journey: j.Get(), markers: markers.Get(), hasTracks: len(tracks.Get()) > 0}
	for _, t := range tracks.Get() {
		if t.shown != nil || r.journey.UserID == caller {
			r.tracks = append(r.tracks, t)
		}
	}
	return r, nil
}

// rowsPerRead is how many rows of track_points are in memory at a time: up to 50,000 points.
const rowsPerRead = 50

// pointRowsSQL reads rows of points of the tracks $1, at most $3: of the first track those after row $2. The index
// leads to that row, so the rows before it are not read.
const pointRowsSQL = `
	SELECT t.n, p.seq, p.segment, p.lons, p.lats, p.elevations, p.times
	  FROM unnest($1::uuid[]) WITH ORDINALITY t (id, n)
	 CROSS JOIN LATERAL (
		SELECT * FROM track_points WHERE track_id = t.id AND seq > CASE WHEN t.n = 1 THEN $2::integer ELSE -1 END
		 ORDER BY seq LIMIT $3) p
	 ORDER BY t.n, p.seq LIMIT $3`

// eachPointRow calls f with each row of points: all rows of the first track, then those of the next. i is the index of the
// track in tracks. Rows are read in parts, so that no statement takes long.
func (g *Group) eachPointRow(ctx context.Context, tracks []fileTrack, f func(i int, row *pointRow) error) error {
	type place struct{ track, seq int }
	for at := (place{0, -1}); at.track < len(tracks); {
		some := tracks[at.track:min(len(tracks), at.track+rowsPerRead)]
		ids := make([]uuid.UUID, len(some))
		for i, t := range some {
			ids[i] = t.id
		}
		rows, err := g.db.Query(ctx, pointRowsSQL, ids, at.seq, rowsPerRead)
		if err != nil {
			return fmt.Errorf("read points: %w", err)
		}
		var n, seq, count int
		var row pointRow
		base := at.track
		_, err = pgx.ForEachRow(rows, []any{&n, &seq, &row.segment, &row.lons, &row.lats, &row.elevations, &row.times}, func() error {
			count++
			at = place{base + n - 1, seq}
			return f(at.track, &row)
		})
		if err != nil {
			return fmt.Errorf("read points: %w", err)
		}
		if count < rowsPerRead {
			at = place{base + len(some), -1}
		}
	}
	return nil
}
