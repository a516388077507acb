package journeys

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/database"
)

// cutTrack is a track of a file with its pieces.
type cutTrack struct {
	*track.Track
	hash            [32]byte
	legs, stretches []track.Piece
}

func cut(t *track.Track) cutTrack {
	t.Round()
	c := cutTrack{Track: t, hash: t.Hash(), legs: t.Legs()}
	c.stretches = t.Stretches(c.legs)
	return c
}

// cutAll cuts the tracks of a file, each night of which ends a track. It fails with a 422 when they have more pieces than a journey can hold.
func cutAll(tracks []track.Track) ([]cutTrack, error) {
	out := make([]cutTrack, 0, len(tracks))
	legs, stretches := 0, 0
	for i := range tracks {
		for _, day := range tracks[i].SplitAtNights() {
			c := cut(&day)
			legs, stretches = legs+len(c.legs), stretches+len(c.stretches)
			if legs > maxLegs || stretches > maxStretches {
				return nil, errImportTooLong
			}
			out = append(out, c)
		}
	}
	return out, nil
}

// knownTrack is what an import has to know of a track that is stored.
type knownTrack struct {
	hash                    [32]byte
	points, legs, stretches int
}

// askKnownTracks adds a statement that reads what is known of the tracks of a journey.
func askKnownTracks(p database.Pipeline, journeyID uuid.UUID) *database.Ask[[]knownTrack] {
	return database.AskRows(p, func(row pgx.CollectableRow) (knownTrack, error) {
		var hash []byte
		var k knownTrack
		err := row.Scan(&hash, &k.points, &k.legs, &k.stretches)
		copy(k.hash[:], hash)
		return k, err
	}, `SELECT content_hash, points, legs, stretches FROM tracks WHERE journey_id = $1`, journeyID)
}

// addTracks stores the tracks that the journey does not have yet, in their order, and reports whether there were any. It
// fails with a 409 when the journey cannot hold them.
func addTracks(tx *database.Tx, j journey, known []knownTrack, tracks []cutTrack, now time.Time) (bool, error) {
	have, sum := make(map[[32]byte]bool, len(known)), knownTrack{}
	for _, k := range known {
		have[k.hash] = true
		sum.points, sum.legs, sum.stretches = sum.points+k.points, sum.legs+k.legs, sum.stretches+k.stretches
	}
	added := false
	for _, t := range tracks {
		if have[t.hash] {
			continue
		}
		have[t.hash] = true
		sum.points, sum.legs, sum.stretches = sum.points+t.Points(), sum.legs+len(t.legs), sum.stretches+len(t.stretches)
		if sum.points > track.MaxJourneyPoints || sum.legs > maxLegs || sum.stretches > maxStretches || len(have) > maxTracks {
			return false, errJourneyFull
		}
		insertTrack(tx, j, database.NewID(), t, now)
		added = true
	}
	return added, nil
}

// StoreTrack stores a track of a journey that hides nothing else than the ends of its tracks. It is for the data generator.
func StoreTrack(p database.Pipeline, journeyID, id uuid.UUID, t *track.Track, now time.Time) {
	insertTrack(p, journey{ID: journeyID, HideEndsM: defaultHideEnds}, id, cut(t), now)
}

// insertTrack stores a track: its row, its points, legs and stretches.
func insertTrack(p database.Pipeline, j journey, id uuid.UUID, t cutTrack, now time.Time) {
	started, ended := t.Times(track.Range{From: 0, To: t.Points() - 1})
	const insert = `
		INSERT INTO tracks (id, journey_id, name, kind, as_route, content_hash, points, legs, stretches, length_m, started_at, ended_at, utc_offset_s, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	p.Queue(insert, id, j.ID, t.Name, t.Kind, t.Route, t.hash[:], t.Points(), len(t.legs), len(t.stretches), t.LengthM(), started, ended,
		offsetSeconds(t.Offset), now)
	insertPoints(p, id, t.Track)
	writePieces(p, j, id, t)
}

func offsetSeconds(d *time.Duration) *int {
	if d == nil {
		return nil
	}
	s := int(d.Seconds())
	return &s
}

// writePieces writes legs and stretches of a track, and what others see of it. Those that the track had before are replaced.
func writePieces(p database.Pipeline, j journey, id uuid.UUID, t cutTrack) {
	privacy := track.Privacy{HideEndsM: float64(j.HideEndsM), Seed: j.EndsSeed, PrecisionM: j.PlanPrecisionM}
	shown, visible := t.ShownRange(privacy)
	length := t.Show(t.legs, shown, visible, privacy)
	t.Show(t.stretches, shown, visible, privacy)
	var from, to *int
	var started, ended *time.Time
	if visible {
		from, to = &shown.From, &shown.To
		started, ended = t.Times(shown)
	}
	p.Queue(`UPDATE tracks SET shown_from = $2, shown_to = $3, shown_length_m = $4, shown_started_at = $5, shown_ended_at = $6 WHERE id = $1`,
		id, from, to, length, started, ended)
	p.Queue(`DELETE FROM track_legs WHERE track_id = $1`, id)
	p.Queue(`DELETE FROM track_stretches WHERE track_id = $1`, id)
	l := columnsOf(t.legs)
	p.Queue(`
		INSERT INTO track_legs (track_id, seq, journey_id, planned, segment, dates, line, shown_line, start_m, length_m)
		SELECT $1, seq - 1, $2, $3, segment, CASE WHEN first IS NOT NULL THEN daterange(first, last, '[]') END,
		       ST_GeogFromWKB(line), ST_GeogFromWKB(shown), start_m, length_m
		  FROM unnest($4::integer[], $5::date[], $6::date[], $7::bytea[], $8::bytea[], $9::double precision[], $10::double precision[])
		       WITH ORDINALITY AS p (segment, first, last, line, shown, start_m, length_m, seq)`,
		id, j.ID, t.Kind == track.Planned, l.segments, l.first, l.last, l.lines, l.shown, l.starts, l.lengths)
	s := columnsOf(t.stretches)
	p.Queue(`
		INSERT INTO track_stretches (track_id, seq, journey_id, dates, line, shown_line)
		SELECT $1, seq - 1, $2, CASE WHEN first IS NOT NULL THEN daterange(first, last, '[]') END, ST_GeogFromWKB(line), ST_GeogFromWKB(shown)
		  FROM unnest($3::date[], $4::date[], $5::bytea[], $6::bytea[]) WITH ORDINALITY AS p (first, last, line, shown, seq)`,
		id, j.ID, s.first, s.last, s.lines, s.shown)
}

// pieceColumns are pieces as arrays, for one statement.
type pieceColumns struct {
	segments        []int32
	first, last     []*time.Time
	lines, shown    [][]byte // WKB
	starts, lengths []float64
}

func columnsOf(pieces []track.Piece) pieceColumns {
	var c pieceColumns
	for i := range pieces {
		p := &pieces[i]
		var first, last *time.Time
		if p.Days != nil {
			first, last = &p.Days[0], &p.Days[1]
		}
		c.segments = append(c.segments, int32(p.Segment)) //nolint:gosec // at most as many as points
		c.first, c.last = append(c.first, first), append(c.last, last)
		c.lines, c.shown = append(c.lines, track.WKB(p.Line)), append(c.shown, track.WKB(p.Shown))
		c.starts, c.lengths = append(c.starts, p.StartM), append(c.lengths, p.LengthM)
	}
	return c
}

// storedTrack is what is needed of a track to compute again what others see of it.
type storedTrack struct {
	id     uuid.UUID
	kind   track.Kind
	offset *int // seconds east of UTC
}

// askStoredTracks adds a statement that reads the tracks of a journey.
func askStoredTracks(p database.Pipeline, journeyID uuid.UUID) *database.Ask[[]storedTrack] {
	return database.AskRows(p, func(row pgx.CollectableRow) (storedTrack, error) {
		var t storedTrack
		return t, row.Scan(&t.id, &t.kind, &t.offset)
	}, `SELECT id, kind, utc_offset_s FROM tracks WHERE journey_id = $1`, journeyID)
}

// reshapeTracks computes again what others see of the tracks of a kind. Call it with the journey's row locked.
func reshapeTracks(ctx context.Context, tx *database.Tx, j journey, tracks []storedTrack, kind track.Kind) error {
	for _, stored := range tracks {
		if stored.kind != kind {
			continue
		}
		segments, err := readSegments(ctx, tx, stored.id)
		if err != nil {
			return err
		}
		t := &track.Track{Kind: kind, Segments: segments}
		if stored.offset != nil {
			d := time.Duration(*stored.offset) * time.Second
			t.Offset = &d
		}
		writePieces(tx, j, stored.id, cut(t))
	}
	return nil
}
