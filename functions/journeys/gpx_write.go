package journeys

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/functions/journeys/trackfile"
	"github.com/lafaekstreet/backend/shared/identity"
)

const gpxMedia = "application/gpx+xml"

type routeGPXInput struct {
	JourneyID uuid.UUID `path:"journey_id" format:"uuid"`
	Encodings string    `header:"Accept-Encoding" hidden:"true"`
}

// routeGPX writes markers as waypoints, and tracks with all their points as the tracks and routes that they were in their
// files. A journey without tracks has the lines through its markers; importFile leaves these out. Importing the file gives
// the same journey.
func (g *Group) routeGPX(ctx context.Context, in *routeGPXInput) (*fileOutput, error) {
	r, err := g.readFileRoute(ctx, in.JourneyID)
	if err != nil {
		return nil, err
	}
	return g.sendFile(ctx, outgoing{journey: r.journey.ID, contentType: gpxMedia, disposition: attachment(r.journey.Name, ".gpx"),
		encodings: in.Encodings, write: func(w io.Writer) error { return g.writeGPX(ctx, r, w) }})
}

// writeGPX writes the file in parts, so that it needs the same memory for any number of points.
func (g *Group) writeGPX(ctx context.Context, r *fileRoute, out io.Writer) error {
	w := trackfile.NewWriter(out, trackfile.Metadata{Name: r.journey.Name, Description: r.journey.Description, Time: r.journey.CreatedAt})
	for _, m := range r.markers {
		w.Waypoint(m.waypoint())
	}
	for _, routes := range []bool{true, false} { // GPX has routes before tracks
		if err := g.writeTracks(ctx, r, routes, w); err != nil {
			return err
		}
		if !r.hasTracks {
			writeMarkerLine(r, routes, w)
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("write GPX: %w", err)
	}
	return nil
}

func (m marker) waypoint() trackfile.Waypoint {
	return trackfile.Waypoint{Name: m.Name, Notes: m.Notes, Lon: m.Lon, Lat: m.Lat, Planned: m.Type == markerPlan, Day: m.date()}
}

// writeMarkerLine writes the line through the planned markers as a route, or the one through the past markers as a track.
func writeMarkerLine(r *fileRoute, planned bool, w *trackfile.Writer) {
	var line []marker
	for _, m := range ridingOrder(r.markers) {
		if (m.Type == markerPlan) == planned {
			line = append(line, m)
		}
	}
	if len(line) < 2 {
		return
	}
	w.BeginTrack(r.journey.Name, planned, trackfile.DerivedSource)
	w.BeginSegment()
	for _, m := range line {
		w.Point(track.Point{Lon: m.Lon, Lat: m.Lat, Elevation: float32(math.NaN()), Time: track.NoTime})
	}
	w.EndTrack()
}

// writeTracks writes those tracks that are routes in GPX, or those that are not, as the caller sees them.
func (g *Group) writeTracks(ctx context.Context, r *fileRoute, routes bool, w *trackfile.Writer) error {
	var tracks []fileTrack
	for _, t := range r.tracks {
		if t.asRoute == routes {
			tracks = append(tracks, t)
		}
	}
	owned := r.journey.UserID == identity.Must(ctx).UserID
	var seen view
	current, segment := -1, -1
	err := g.eachPointRow(ctx, tracks, func(i int, row *pointRow) error {
		if i != current {
			if current >= 0 {
				w.EndTrack()
			}
			w.BeginTrack(tracks[i].name, routes, "")
			current, segment = i, -1
			seen = tracks[i].viewFor(owned, r.journey.PlanPrecisionM)
		}
		points := seen.of(row.points())
		if len(points) == 0 {
			return nil
		}
		if row.segment != segment {
			segment = row.segment
			w.BeginSegment()
		}
		for _, p := range points {
			w.Point(p)
		}
		return nil
	})
	if current >= 0 {
		w.EndTrack()
	}
	return err
}

// view is what a person sees of the points of a track, from its first point on.
type view struct {
	shown     track.Range // numbers of the points that are seen
	next      int         // number of the next point
	precision int         // cells of a plan, in metres; 0 is exact
	last      track.Position
}

// of returns what the person sees of the next points of the track. Others see no elevations of a plan that is not exact: the
// elevation would tell the place.
func (v *view) of(points []track.Point) []track.Point {
	from, to := max(0, v.shown.From-v.next), min(len(points), v.shown.To+1-v.next)
	v.next += len(points)
	if from >= to {
		return nil
	}
	points = points[from:to]
	if v.precision == 0 {
		return points
	}
	out := points[:0]
	for _, p := range points {
		cell := track.Blur(track.Position{p.Lon, p.Lat}, v.precision)
		if cell != v.last {
			v.last = cell
			out = append(out, track.Point{Lon: cell[0], Lat: cell[1], Elevation: float32(math.NaN()), Time: track.NoTime})
		}
	}
	return out
}
