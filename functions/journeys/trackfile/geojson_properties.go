package trackfile

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/warning"
)

// properties are the members of a feature's "properties" that are used. Programs use different names for the same thing.
type properties struct {
	place      string
	kind       string
	name       string // of the members name and title; name counts first
	title      string
	notes      string // of the members notes, description and desc; the first of these counts
	desc       [2]string
	markerType string
	happened   string // of the member timestamp
	estimated  string // of the member estimated_time
	time       string
	started    string // of the member started_at, which this API writes; the time of the first position of a line
	ended      string // of the member ended_at; the time of the last position
}

// properties reads the value of the member "properties".
func (r *geoReader) properties(p *properties) error {
	r.scratch.times = coordinateTimes{values: r.scratch.times.values[:0]}
	if r.d.PeekKind() != '{' {
		return r.d.SkipValue()
	}
	texts := map[string]*string{"kind": &p.kind, "name": &p.name, "title": &p.title, "notes": &p.notes, "description": &p.desc[0],
		"desc": &p.desc[1], "marker_type": &p.markerType, "timestamp": &p.happened, "estimated_time": &p.estimated, "time": &p.time,
		"started_at": &p.started, "ended_at": &p.ended}
	return r.members(func(name string) error {
		place := join(p.place, name)
		switch name = strings.ToLower(name); name {
		case "coordtimes":
			return r.times(ofPositions, place)
		case "times":
			return r.times(ofLine, place)
		case "coordinateproperties":
			return r.coordinateProperties(place)
		}
		to, known := texts[name]
		if !known {
			return r.d.SkipValue()
		}
		text, err := r.text()
		*to = r.found.text(text, longest(name), place)
		return err
	})
}

// longest is the maximum number of characters of a property.
func longest(name string) int {
	switch name {
	case "notes", "description", "desc":
		return maxNotes
	}
	return maxName
}

func (r *geoReader) coordinateProperties(place string) error {
	if r.d.PeekKind() != '{' {
		return r.d.SkipValue()
	}
	return r.members(func(name string) error {
		if name == "times" || name == "coordTimes" {
			return r.times(ofCoordinates, join(place, name))
		}
		return r.d.SkipValue()
	})
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// waypoint returns the waypoint that a position with these properties is. A stated type decides whether it is planned. Without
// one it is past when it has only a timestamp, or only a time that is not after now.
func (r *geoReader) waypoint(p *properties, at position) Waypoint {
	w := Waypoint{Name: first(p.name, p.title), Notes: first(p.notes, p.desc[0], p.desc[1]), Lon: at.Lon, Lat: at.Lat}
	planned, known := statedKind(p.markerType)
	if !known {
		if p.markerType != "" {
			r.found.warnings.Add(join(p.place, "marker_type"), warning.Unreadable)
		}
		planned = p.happened == "" || p.estimated != ""
		if t, fault := readTime(p.time); p.happened == "" && p.estimated == "" && fault == "" {
			planned = t.After(r.found.now)
		}
	}
	w.Planned = planned
	date, member, other, otherMember := p.happened, "timestamp", p.estimated, "estimated_time"
	if planned {
		date, member, other, otherMember = other, otherMember, date, member
	}
	switch {
	case other != "": // the date of the other type
		r.found.warnings.Add(join(p.place, otherMember), warning.NotTaken)
	case date == "":
		date, member = p.time, "time"
	}
	w.Day = r.day(date, join(p.place, member), at)
	return w
}

// day returns the rider's own day of a date or time at a position. A time without a zone is one of the rider's own day.
func (r *geoReader) day(text, place string, at position) *time.Time {
	if text == "" {
		return nil
	}
	t, fault := readTime(text)
	if fault != "" {
		r.found.warnings.Add(place, fault)
		return nil
	}
	day := track.Day(t.Time, !t.Zoned || t.Stated(), at.Lon, at.Lat)
	return &day
}

// Members with the times of a line's positions. If a feature has several, the last of these counts.
const (
	ofLine        = iota + 1 // times
	ofCoordinates            // coordinateProperties.times
	ofPositions              // coordTimes
)

// coordinateTimes are the times of all positions of a feature's lines, in the order of the positions.
type coordinateTimes struct {
	member int // ofLine, ofCoordinates or ofPositions; 0 when there are none
	place  string
	values []int64 // milliseconds since 1970, or track.NoTime; at most track.MaxPoints
	count  int     // of all values
	offset *time.Duration
	// durations means that the values are numbers since the start of the line, as in a plan of BRouter, and no times.
	durations bool
}

// firstNumber is the first number that is a time: 1980 in seconds. Smaller ones are durations.
const firstNumber = 315_532_800

// times reads an array of times: texts, or milliseconds since 1970. The arrays of a multiline may be nested.
func (r *geoReader) times(member int, place string) error {
	kind := r.d.PeekKind()
	if kind != '[' && kind != 'n' {
		r.found.warnings.Add(place, warning.Unreadable)
	}
	t := &r.scratch.times
	if kind != '[' || member < t.member {
		return r.d.SkipValue()
	}
	*t = coordinateTimes{member: member, place: place, values: t.values[:0]}
	for depth := 0; ; {
		switch kind := r.d.PeekKind(); kind {
		case '[', ']':
			if depth++; kind == ']' {
				depth -= 2
			}
			if _, err := r.d.ReadToken(); err != nil || depth == 0 {
				return err
			}
		default:
			if err := r.time(t, kind); err != nil {
				return err
			}
		}
	}
}

func isDuration(text string) bool {
	v, ok := number(text)
	return ok && v < firstNumber
}

// time reads one time. A time that is missing or cannot be read is track.NoTime.
func (r *geoReader) time(t *coordinateTimes, kind jsontext.Kind) error {
	text, err := r.text()
	if err != nil {
		return err
	}
	value := int64(track.NoTime)
	at, fault := readTime(text)
	if fault == "" && at.Year() < firstFix {
		fault = warning.OutOfRange
	}
	switch {
	case kind == '0' && isDuration(text):
		t.durations = true
	case fault == "":
		value = at.UnixMilli()
		if _, seconds := at.Zone(); seconds != 0 && t.offset == nil {
			offset := time.Duration(seconds) * time.Second
			t.offset = &offset
		}
	case kind != 'n':
		r.found.warnings.Add(fmt.Sprintf("%s[%d]", t.place, t.count), fault)
	}
	if t.count++; t.count <= track.MaxPoints {
		t.values = append(t.values, value)
	}
	return nil
}
