package journeys

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/lafaekstreet/backend/functions/journeys/track"
)

// date returns the day the rider was at a past marker or plans to be at a planned one; nil when there is none.
func (m marker) date() *time.Time {
	if m.Type == markerPast {
		return m.HappenedOn
	}
	return m.PlannedOn
}

// ridingOrder returns the markers in the order of the route: past ones by date, then planned ones by date, those without a
// date after the dated ones of their kind, and by creation time on one day. UpdateLegsSQL sorts the same way.
func ridingOrder(markers []marker) []marker {
	route := slices.Clone(markers)
	slices.SortStableFunc(route, func(a, b marker) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), // "past" sorts before "plan"
			compareDays(a.date(), b.date()), a.CreatedAt.Compare(b.CreatedAt), slices.Compare(a.ID[:], b.ID[:]))
	})
	return route
}

// compareDays orders days. No day comes last.
func compareDays(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Compare(*b)
}

// positions returns the places of markers.
func positions(route []marker) []track.Position {
	out := make([]track.Position, len(route))
	for i, m := range route {
		out[i] = track.Position{m.Lon, m.Lat}
	}
	return out
}

// geometryOf returns lines as GeoJSON, cut where they cross the antimeridian (RFC 7946, section 3.1.9).
func geometryOf(lines [][]track.Position) Geometry {
	var out [][]track.Position
	for _, line := range lines {
		out = append(out, line[:1:1])
		for i, at := range line[1:] {
			last := len(out) - 1
			if from := line[i]; math.Abs(at[0]-from[0]) > 180 {
				side := math.Copysign(180, from[0])
				lat := crossing(from, at)
				out[last] = append(out[last], track.Position{side, lat})
				out = append(out, []track.Position{{-side, lat}})
				last++
			}
			out[last] = append(out[last], at)
		}
	}
	if len(out) > 1 {
		return Geometry{Type: "MultiLineString", Coordinates: out}
	}
	return Geometry{Type: "LineString", Coordinates: out[0]}
}

// crossing returns the latitude, in degrees, at which a straight line on the map from a to b crosses the antimeridian.
func crossing(a, b track.Position) float64 {
	toEdge := 180 - math.Abs(a[0])
	across := toEdge + 180 - math.Abs(b[0])
	if across == 0 {
		return a[1]
	}
	return a[1] + (b[1]-a[1])*toEdge/across
}
