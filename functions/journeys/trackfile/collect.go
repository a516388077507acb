package trackfile

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/warning"
)

// Longest texts, in characters.
const (
	maxName  = 200
	maxNotes = 5000
)

// clockGrace is how far the clock of a device may be ahead: times up to this far after now are in the past.
const clockGrace = 24 * time.Hour

// collector gathers the lines and waypoints of a file. Both readers use it, so that both follow the same rules.
type collector struct {
	file     File
	now      time.Time
	warnings *warning.Collector
	points   int // of all lines so far
}

// count counts points of a line before they are stored.
func (c *collector) count(points int) error {
	if c.points += points; c.points > track.MaxPoints {
		return ErrTooManyPoints
	}
	return nil
}

// addTrack adds a line and finds out its kind. Segments of one point are dropped with a warning, and so is a line that has
// no other segments. A line without any point adds nothing.
func (c *collector) addTrack(t track.Track, place string) {
	kept := t.Segments[:0]
	last := int64(track.NoTime)
	for _, segment := range t.Segments {
		if len(segment) == 1 {
			c.warnings.Add(place, warning.ShapeDropped)
		}
		if len(segment) < 2 {
			continue
		}
		kept = append(kept, segment)
		for i := range segment {
			last = max(last, segment[i].Time)
		}
	}
	if len(kept) == 0 {
		return
	}
	t.Segments, t.Kind = kept, track.Planned
	if !t.Route && last != track.NoTime && last <= c.now.Add(clockGrace).UnixMilli() {
		t.Kind = track.Recorded
	}
	t.Name = c.text(t.Name, maxName, place)
	c.file.Tracks = append(c.file.Tracks, t)
}

// addWaypoint adds a waypoint. A waypoint without a name gets its number as its name.
func (c *collector) addWaypoint(w Waypoint, place string) error {
	if len(c.file.Waypoints) == MaxWaypoints {
		return ErrTooManyPoints
	}
	w.Name, w.Notes = c.text(w.Name, maxName, place), c.text(w.Notes, maxNotes, place)
	if w.Name == "" {
		w.Name = fmt.Sprintf("Waypoint %d", len(c.file.Waypoints)+1)
	}
	c.file.Waypoints = append(c.file.Waypoints, w)
	return nil
}

// reset forgets everything but the warnings.
func (c *collector) reset() { c.file, c.points = File{}, 0 }

// done returns the file, or ErrEmpty.
func (c *collector) done() (*File, error) {
	if len(c.file.Tracks) == 0 && len(c.file.Waypoints) == 0 {
		return nil, ErrEmpty
	}
	return &c.file, nil
}

// text returns text without characters that the database or XML cannot hold, trimmed, and cut to the maximum number of
// characters with a warning.
func (c *collector) text(text string, most int, place string) string {
	text = strings.TrimSpace(strings.Map(storable, strings.ToValidUTF8(text, "\uFFFD")))
	for i := range text {
		if most--; most < 0 {
			c.warnings.Add(place, warning.Cut)
			return strings.TrimSpace(text[:i])
		}
	}
	return text
}

// storable drops the characters that XML 1.0 does not allow, NUL among them.
func storable(r rune) rune {
	if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
		return -1
	}
	return r
}

// statedKind reports whether a waypoint of this stated type is planned. The second result is false for another word.
func statedKind(stated string) (bool, bool) {
	switch locale.FoldWord(stated) {
	case "past":
		return false, true
	case "plan":
		return true, true
	}
	return false, false
}

// onEarth reports whether a point has a place. 0,0 has none: devices write it when they do not know their place. Places are
// kept to ten-millionths of a degree, so what rounds to 0,0 has none either.
func onEarth(lon, lat float64) bool {
	const half = 0.5e-7
	return math.Abs(lon) <= 180 && math.Abs(lat) <= 90 && (math.Abs(lon) >= half || math.Abs(lat) >= half)
}

// number reads a number as programs write it, with a decimal point or a decimal comma.
func number(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if strings.ContainsAny(text, "_xXpP") { // numbers of Go, not of files
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil && strings.Count(text, ",") == 1 {
		v, err = strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	}
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// Years that a time of a file may have. Every calendar of a client can show them.
const firstYear, lastYear = 1900, 2199

// fileTime is a time of a file.
type fileTime struct {
	time.Time      // in the offset that the file states, else in UTC
	Zoned     bool // the text names an offset, or Z
}

// Stated reports that the file states an offset other than Z.
func (t fileTime) Stated() bool {
	_, offset := t.Zone()
	return offset != 0
}

// readTime reads a time in any usual form. A time that names no zone counts as UTC. The code says why there is none.
func readTime(text string) (fileTime, warning.Code) {
	at, err := time.Parse(time.RFC3339, text)
	zoned := true
	if err != nil {
		var ok bool
		noZone := time.FixedZone("", 1) // no zone of the world is one second from UTC
		if at, ok = timestamp.ParseAny(text, noZone); !ok {
			return fileTime{}, warning.Unreadable
		}
		if zoned = at.Location() != noZone; !zoned {
			at = at.Add(time.Second).UTC()
		}
	}
	if at.Year() < firstYear || at.Year() > lastYear {
		return fileTime{}, warning.OutOfRange
	}
	return fileTime{at, zoned}, ""
}
