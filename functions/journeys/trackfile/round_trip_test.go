package trackfile

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/infra/local/gpsbabel"
)

// writeFile writes what was read of a file.
func writeFile(t *testing.T, f *File) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, Metadata{Name: "Round trip", Time: now()})
	for _, p := range f.Waypoints {
		w.Waypoint(p)
	}
	for _, one := range inOrder(f) {
		w.BeginTrack(one.Name, one.Route, "")
		for _, segment := range one.Segments {
			w.BeginSegment()
			for _, p := range segment {
				w.Point(p)
			}
		}
		w.EndTrack()
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// inOrder returns the routes of a file and then its tracks.
func inOrder(f *File) []track.Track {
	var routes, tracks []track.Track
	for _, one := range f.Tracks {
		if one.Route {
			routes = append(routes, one)
		} else {
			tracks = append(tracks, one)
		}
	}
	return append(routes, tracks...)
}

func readBytes(t *testing.T, text []byte) *File {
	t.Helper()
	f, err := Read(bytes.NewReader(text), now(), nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return f
}

// ownFile has one of everything that the writer writes.
func ownFile() *File {
	day := time.Date(2026, 11, 19, 0, 0, 0, 0, time.UTC)
	ride := func(points int, from track.Point, every int64) []track.Point {
		var line []track.Point
		for i := range points {
			p := from
			p.Lon, p.Lat = p.Lon+float64(i)*0.00123457, p.Lat-math.Sin(float64(i))/300
			if p.Time != track.NoTime {
				p.Time += int64(i) * every
			}
			p.Elevation += float32(i) * 1.37
			line = append(line, p)
		}
		return line
	}
	none := float32(math.NaN())
	return &File{
		Waypoints: []Waypoint{
			{Name: "Díli & <co>", Notes: "port\n\"old\" town", Lon: 125.5736, Lat: -8.5536, Day: &day},
			{Name: "Lospalos", Lon: 126.9983333, Lat: -8.5216667, Planned: true},
		},
		Tracks: []track.Track{
			{Name: "Plan <2>", Route: true, Kind: track.Planned, Segments: [][]track.Point{ride(20, track.Point{Lon: 125.6, Lat: -8.6, Elevation: none, Time: track.NoTime}, 0)}},
			{Name: "Ride", Kind: track.Recorded, Segments: [][]track.Point{
				ride(50, track.Point{Lon: 125.5, Lat: -8.5, Elevation: 12.34, Time: millis("2026-11-18T23:59:50Z")}, 1000),
				ride(30, track.Point{Lon: 125.7, Lat: -8.7, Elevation: -3.2, Time: millis("2026-11-19T03:00:00Z") + 250}, 15_000)}},
			{Name: "Tour", Kind: track.Planned, Segments: [][]track.Point{ride(40, track.Point{Lon: 126, Lat: -8.9, Elevation: 100, Time: track.NoTime}, 0)}},
		},
	}
}

// roundTripFiles returns our own file and those in the shape of other programs.
func roundTripFiles(t *testing.T) map[string]*File {
	t.Helper()
	files := map[string]*File{"our own": ownFile()}
	paths, err := filepath.Glob("testdata/gpx/*.gpx")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = readBytes(t, text)
	}
	return files
}

// Another program reads what we write, writes it in its own way, and we read the same: each line, waypoint, name, place,
// elevation and time.
func TestGPSBabelReadsAndWritesTheSameGPX(t *testing.T) {
	t.Parallel()
	for name, want := range roundTripFiles(t) {
		written := writeFile(t, want)
		if err := checkSchema(bytes.NewReader(written)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, format := range []string{"gpx", "gpx,gpxver=1.0"} {
			got := readBytes(t, gpsbabel.Convert(t, written, "gpx", format))
			if diff := difference(want, got); diff != "" {
				t.Errorf("%s as %s: %s", name, format, diff)
			}
		}
	}
}

// difference returns the first difference between two files; "" when there is none of more than 1 m, 1 s or 1 m of height.
func difference(want, got *File) string {
	if len(want.Waypoints) != len(got.Waypoints) || len(want.Tracks) != len(got.Tracks) {
		return fmt.Sprintf("%d waypoints and %d lines, want %d and %d", len(got.Waypoints), len(got.Tracks), len(want.Waypoints), len(want.Tracks))
	}
	for i, w := range want.Waypoints {
		g := got.Waypoints[i]
		if w.Name != g.Name || w.Planned != g.Planned || fmt.Sprint(w.Day) != fmt.Sprint(g.Day) || w.Notes != "" && w.Notes != g.Notes || metres(w.Lon, w.Lat, g.Lon, g.Lat) > 1 {
			return fmt.Sprintf("waypoint %+v, want %+v", g, w)
		}
	}
	wantLines, gotLines := inOrder(want), inOrder(got)
	for i, w := range wantLines {
		g := gotLines[i]
		if w.Name != g.Name || w.Route != g.Route || w.Kind != g.Kind || len(w.Segments) != len(g.Segments) {
			return fmt.Sprintf("line %d is %s %q with %d segments, want %s %q with %d", i, g.Kind, g.Name, len(g.Segments), w.Kind, w.Name, len(w.Segments))
		}
		for s := range w.Segments {
			if diff := pointDifference(w.Segments[s], g.Segments[s], true); diff != "" {
				return fmt.Sprintf("line %d, segment %d: %s", i, s, diff)
			}
		}
	}
	return ""
}

// pointDifference compares two lists of points.
func pointDifference(want, got []track.Point, times bool) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d points, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		far := metres(w.Lon, w.Lat, g.Lon, g.Lat) > 1 || math.Abs(float64(w.Elevation-g.Elevation)) > 1
		lost := !math.IsNaN(float64(w.Elevation)) && math.IsNaN(float64(g.Elevation))
		late := times && (w.Time == track.NoTime) != (g.Time == track.NoTime) || times && math.Abs(float64(w.Time)-float64(g.Time)) > 1000
		if far || lost || late {
			return fmt.Sprintf("point %d is %+v, want %+v", i, g, w)
		}
	}
	return ""
}

// metres is the distance of two places that are near each other.
func metres(lon1, lat1, lon2, lat2 float64) float64 {
	const degree = 111_320
	return math.Hypot((lat1-lat2)*degree, (lon1-lon2)*degree*math.Cos(lat1*math.Pi/180))
}

// selected returns a file with those lines that keep accepts, without their names.
func selected(f *File, keep func(*track.Track) bool) *File {
	some := &File{Waypoints: f.Waypoints}
	for _, one := range f.Tracks {
		if keep(&one) {
			one.Name = ""
			some.Tracks = append(some.Tracks, one)
		}
	}
	return some
}

func allPoints(f *File) []track.Point {
	var all []track.Point
	for _, one := range f.Tracks {
		for _, s := range one.Segments {
			all = append(all, s...)
		}
	}
	return all
}

// The shape of tracks and the places of waypoints stay what they are in formats that do not keep the times. GPSBabel writes
// no routes as GeoJSON.
func TestGPSBabelKeepsShapesInOtherFormats(t *testing.T) {
	t.Parallel()
	for name, f := range roundTripFiles(t) {
		want := selected(f, func(one *track.Track) bool { return !one.Route })
		if len(want.Tracks) == 0 {
			continue
		}
		written := writeFile(t, want)
		asKML := gpsbabel.Convert(t, gpsbabel.Convert(t, written, "gpx", "kml,points=0,track=0,lines=1"), "kml", "gpx")
		for format, text := range map[string][]byte{"KML": asKML, "GeoJSON": gpsbabel.Convert(t, written, "gpx", "geojson")} {
			got := readBytes(t, text)
			if diff := pointDifference(allPoints(want), allPoints(got), false); diff != "" || len(got.Waypoints) != len(want.Waypoints) {
				t.Errorf("%s as %s: %d waypoints, want %d; %s", name, format, len(got.Waypoints), len(want.Waypoints), diff)
			}
		}
	}
}

// The times of a ride stay what they are in the format of Garmin's training devices, which has whole seconds and no segments.
// GPSBabel writes a name there without escaping it, so the rides have none.
func TestGPSBabelKeepsTimesInTCX(t *testing.T) {
	t.Parallel()
	for name, f := range roundTripFiles(t) {
		want := selected(f, func(one *track.Track) bool { return one.Kind == track.Recorded })
		if len(want.Tracks) == 0 {
			continue
		}
		asTCX := gpsbabel.Convert(t, writeFile(t, want), "gpx", "gtrnctr")
		got := readBytes(t, gpsbabel.Convert(t, asTCX, "gtrnctr", "gpx"))
		if diff := pointDifference(allPoints(want), allPoints(got), true); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
