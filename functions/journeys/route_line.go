package journeys

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// date returns the day the rider was at a past marker or plans to be at a planned one; nil when there is none.
func (m marker) date() *time.Time {
	if m.Type == markerPast {
		return m.HappenedOn
	}
	return m.PlannedOn
}

// ridingOrder returns the dated markers in the order of the route: past ones by date, then planned ones by date, and by
// creation time on one day. UpdateLegsSQL sorts the same way.
func ridingOrder(markers []marker) []marker {
	route := slices.DeleteFunc(slices.Clone(markers), func(m marker) bool { return m.date() == nil })
	slices.SortStableFunc(route, func(a, b marker) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), // "past" sorts before "plan"
			a.date().Compare(*b.date()), a.CreatedAt.Compare(b.CreatedAt), slices.Compare(a.ID[:], b.ID[:]))
	})
	return route
}

// lineGeometry returns the line through markers, cut where it crosses the antimeridian (RFC 7946, section 3.1.9).
func lineGeometry(route []marker) Geometry {
	lines := [][][2]float64{{{route[0].Lon, route[0].Lat}}}
	for i, m := range route[1:] {
		last := len(lines) - 1
		if from := route[i]; math.Abs(m.Lon-from.Lon) > 180 {
			side := math.Copysign(180, from.Lon)
			lat := crossing(from, m)
			lines[last] = append(lines[last], [2]float64{side, lat})
			lines = append(lines, [][2]float64{{-side, lat}})
			last++
		}
		lines[last] = append(lines[last], [2]float64{m.Lon, m.Lat})
	}
	if len(lines) > 1 {
		return Geometry{Type: "MultiLineString", Coordinates: lines}
	}
	return Geometry{Type: "LineString", Coordinates: lines[0]}
}

// crossing returns the latitude, in degrees, at which a straight line on the map from a to b crosses the antimeridian.
func crossing(a, b marker) float64 {
	toEdge := 180 - math.Abs(a.Lon)
	across := toEdge + 180 - math.Abs(b.Lon)
	if across == 0 {
		return a.Lat
	}
	return a.Lat + (b.Lat-a.Lat)*toEdge/across
}
