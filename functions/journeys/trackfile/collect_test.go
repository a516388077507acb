package trackfile

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/warning"
)

func now() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

func newCollector() *collector {
	return &collector{now: now(), warnings: warning.NewCollector(context.Background())}
}

func pointsAt(times ...int64) []track.Point {
	var points []track.Point
	for i, at := range times {
		points = append(points, track.Point{Lon: 125.5 + float64(i)*0.001, Lat: -8.5, Time: at})
	}
	return points
}

func TestKindOfALine(t *testing.T) {
	t.Parallel()
	past, grace, future := now().UnixMilli()-1000, now().Add(clockGrace).UnixMilli(), now().Add(clockGrace).UnixMilli()+1
	for name, c := range map[string]struct {
		t    track.Track
		want track.Kind
	}{
		"times in the past":              {track.Track{Segments: [][]track.Point{pointsAt(past, past)}}, track.Recorded},
		"one time":                       {track.Track{Segments: [][]track.Point{pointsAt(track.NoTime, past)}}, track.Recorded},
		"a clock that is a day ahead":    {track.Track{Segments: [][]track.Point{pointsAt(past, grace)}}, track.Recorded},
		"the last time is in the future": {track.Track{Segments: [][]track.Point{pointsAt(future, past)}}, track.Planned},
		"no times":                       {track.Track{Segments: [][]track.Point{pointsAt(track.NoTime, track.NoTime)}}, track.Planned},
		"a route":                        {track.Track{Route: true, Segments: [][]track.Point{pointsAt(past, past)}}, track.Planned},
	} {
		collected := newCollector()
		collected.addTrack(c.t, "line 1")
		if got := collected.file.Tracks[0].Kind; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestSegmentsOfOnePointAreDropped(t *testing.T) {
	t.Parallel()
	c := newCollector()
	c.addTrack(track.Track{Segments: [][]track.Point{pointsAt(1), nil, pointsAt(2, 3)}}, "line 1")
	c.addTrack(track.Track{Segments: [][]track.Point{pointsAt(4)}}, "line 2")
	c.addTrack(track.Track{Segments: [][]track.Point{nil}}, "line 3")
	if len(c.file.Tracks) != 1 || len(c.file.Tracks[0].Segments) != 1 || c.file.Points() != 2 {
		t.Errorf("kept %v", c.file.Tracks)
	}
	if got := codes(c.warnings); got != "line 1 shape_dropped, line 2 shape_dropped" {
		t.Errorf("warnings: %s", got)
	}
	empty := newCollector()
	if _, err := empty.done(); !errors.Is(err, ErrEmpty) {
		t.Errorf("a file without lines and waypoints: %v", err)
	}
}

func codes(w *warning.Collector) string {
	var found []string
	for _, one := range w.List() {
		found = append(found, one.Field+" "+string(one.Code))
	}
	return strings.Join(found, ", ")
}

func TestTextsOfAFile(t *testing.T) {
	t.Parallel()
	c := newCollector()
	if err := c.addWaypoint(Waypoint{Name: " \n", Notes: "a\x00b\x1bc\xff\uFFFE\n "}, "line 1"); err != nil {
		t.Fatal(err)
	}
	if err := c.addWaypoint(Waypoint{Name: strings.Repeat("é", 201), Notes: strings.Repeat("x", 5000)}, "line 2"); err != nil {
		t.Fatal(err)
	}
	first, second := c.file.Waypoints[0], c.file.Waypoints[1]
	if first.Name != "Waypoint 1" || first.Notes != "abc\uFFFD" || second.Name != strings.Repeat("é", 200) || len(second.Notes) != 5000 {
		t.Errorf("got %+v, %+v", first, second)
	}
	if got := codes(c.warnings); got != "line 2 cut" {
		t.Errorf("warnings: %s", got)
	}
	c.file.Waypoints = make([]Waypoint, MaxWaypoints)
	if err := c.addWaypoint(Waypoint{}, ""); !errors.Is(err, ErrTooManyPoints) {
		t.Errorf("one waypoint too many: %v", err)
	}
	if c.count(track.MaxPoints) != nil || !errors.Is(c.count(1), ErrTooManyPoints) {
		t.Error("one point too many is taken")
	}
}

func TestTimesOfAFile(t *testing.T) {
	t.Parallel()
	const want = "2026-11-19T23:00:00Z"
	for text, c := range map[string]struct {
		want          string
		zoned, stated bool
		code          warning.Code
	}{
		"2026-11-19T23:00:00Z":       {want, true, false, ""},
		"2026-11-19T23:00:00.000Z":   {want, true, false, ""},
		"2026-11-20T08:00:00+09:00":  {want, true, true, ""},
		" 2026-11-20 08:00:00 +0900": {want, true, true, ""},
		"2026-11-19T23:00:00+00:00":  {want, true, false, ""},
		"2026-11-19T23:00:00":        {want, false, false, ""},
		"1795129200000":              {want, true, false, ""},
		"null":                       {code: warning.Unreadable},
		"0001-01-01T00:00:00Z":       {code: warning.OutOfRange},
		"2200-01-01T00:00:00Z":       {code: warning.OutOfRange},
	} {
		at, code := readTime(text)
		if code != c.code || code == "" && (at.UTC().Format(time.RFC3339) != c.want || at.Zoned != c.zoned || at.Stated() != c.stated) {
			t.Errorf("%q: %v zoned %v stated %v %s", text, at, at.Zoned, at.Stated(), code)
		}
	}
}

func TestNumbersOfAFile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"12.5": 12.5, " -8,5\n": -8.5, "1e2": 100} {
		if got, ok := number(text); !ok || got != want {
			t.Errorf("%q: %v %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "\n", "1,2,3", "NaN", "Inf", "1e999", "unknown", "1_0", "0x1p3"} {
		if got, ok := number(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
	for _, c := range [][2]float64{{0, 0}, {4e-8, -4e-8}, {180.1, 0}, {1, -90.1}} {
		if onEarth(c[0], c[1]) {
			t.Errorf("%v is a place", c)
		}
	}
	if !onEarth(180, -90) || !onEarth(0, 1) || !onEarth(1e-7, 0) {
		t.Error("a place is refused")
	}
}
