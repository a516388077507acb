// Package trackfile reads and writes the files in which riders keep their rides and plans: GPX 1.0 and 1.1, and GeoJSON.
package trackfile

import (
	"errors"
	"fmt"
	"time"

	"github.com/lafaekstreet/backend/functions/journeys/track"
)

// Limits of a file.
const (
	MaxBytes     = 20 << 20 // unpacked
	MaxWaypoints = 10_000
)

// Errors of a file that is refused as a whole. A broken file is a *Fault.
var (
	ErrUnknownFormat = errors.New("neither GPX nor GeoJSON")
	ErrEmpty         = errors.New("no line and no waypoint")
	ErrTooManyPoints = errors.New("more points than track.MaxPoints or more waypoints than MaxWaypoints")
	ErrTooLarge      = errors.New("more bytes than MaxBytes")
)

// File is what is used of a file.
type File struct {
	Tracks    []track.Track // lines with at least two points, in the order of the file
	Waypoints []Waypoint
}

// Points is the number of points of all tracks.
func (f *File) Points() int {
	n := 0
	for i := range f.Tracks {
		n += f.Tracks[i].Points()
	}
	return n
}

// Waypoint is a place of a file that is no part of a line.
type Waypoint struct {
	Name    string // never empty, at most 200 characters
	Notes   string // at most 5,000 characters
	Lon     float64
	Lat     float64
	Planned bool
	// Day is the rider's own day, at midnight in UTC; nil when the file has none.
	Day *time.Time
}

// Fault is a file that cannot be read. Its message never has text of the file.
type Fault struct {
	Place   string // for example "line 12" or "features[3].geometry"
	Message string
}

// Error implements error.
func (f *Fault) Error() string { return fmt.Sprintf("%s: %s", f.Place, f.Message) }
