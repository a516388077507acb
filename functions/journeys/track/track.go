// Package track has the lines of a journey, as riders record and plan them: their points, and what is computed from these.
package track

import (
	"math"
	"time"
)

// Limits of what is stored.
const (
	MaxPoints        = 200_000   // of one file
	MaxJourneyPoints = 1_000_000 // of all tracks of a journey
)

// Kind says whether a rider was there or plans to go there.
type Kind string

// The kinds.
const (
	Recorded Kind = "recorded"
	Planned  Kind = "planned" // a route, or a track without times or with times in the future
)

// NoTime is the time of a point whose time is unknown.
const NoTime = math.MinInt64

// Point is a point of a track.
type Point struct {
	Lon, Lat  float64 // degrees, WGS 84
	Elevation float32 // metres; NaN when unknown
	Time      int64   // milliseconds since 1970, or NoTime
}

// Track is a line of a file, or one that is stored.
type Track struct {
	Name string
	Kind Kind
	// Route is true for a route (rte) of a GPX file, false for a track (trk) and for a line of GeoJSON.
	Route bool
	// Offset is the offset from UTC of the times in the file; nil when they were in UTC, or there are none.
	Offset *time.Duration
	// Segments have at least two points each. The recording was interrupted between two segments.
	Segments [][]Point
}

// Points is the number of points of all segments.
func (t *Track) Points() int {
	n := 0
	for _, s := range t.Segments {
		n += len(s)
	}
	return n
}

// nightMS is the pause between two segments, in milliseconds, from which on they are tracks of their own.
const nightMS = 6 * 60 * 60 * 1000

// SplitAtNights returns the parts of a track between long pauses. Phones write the days of a tour as segments of one track;
// each day is a track then, whose ends are hidden from others.
func (t *Track) SplitAtNights() []Track {
	part := *t
	part.Segments = t.Segments[:1:1]
	var out []Track
	for i, s := range t.Segments[1:] {
		before := t.Segments[i]
		end, begin := before[len(before)-1].Time, s[0].Time
		if end != NoTime && begin != NoTime && begin-end >= nightMS {
			out = append(out, part)
			part.Segments = nil
		}
		part.Segments = append(part.Segments, s)
	}
	return append(out, part)
}
