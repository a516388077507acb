package trackfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/warning"
)

// describe returns a file as text: a line for each track and waypoint.
func describe(f *File) string {
	var b strings.Builder
	for _, t := range f.Tracks {
		fmt.Fprintf(&b, "%s %q", t.Kind, t.Name)
		if t.Offset != nil {
			fmt.Fprintf(&b, " %v", *t.Offset)
		}
		for _, s := range t.Segments {
			b.WriteString(" |")
			for _, p := range s {
				fmt.Fprintf(&b, " %v,%v", p.Lon, p.Lat)
				if !math.IsNaN(float64(p.Elevation)) {
					fmt.Fprintf(&b, ",%v", p.Elevation)
				}
				if p.Time != track.NoTime {
					b.WriteString("@" + time.UnixMilli(p.Time).UTC().Format("0102T15:04:05.999"))
				}
			}
		}
		b.WriteString("\n")
	}
	for _, w := range f.Waypoints {
		fmt.Fprintf(&b, "%q %q %v,%v planned=%v", w.Name, w.Notes, w.Lon, w.Lat, w.Planned)
		if w.Day != nil {
			b.WriteString(" " + w.Day.Format(time.DateOnly))
		}
		b.WriteString("\n")
	}
	return strings.TrimSpace(b.String())
}

// readJSON reads GeoJSON in pieces of one byte.
func readJSON(text string) (*File, string, error) {
	w := warning.NewCollector(context.Background())
	f, err := readGeoJSON(iotest.OneByteReader(strings.NewReader(text)), now(), w)
	return f, codes(w), err
}

type jsonCase struct{ text, want, warnings string }

func checkJSON(t *testing.T, cases map[string]jsonCase) {
	t.Helper()
	for name, c := range cases {
		f, warnings, err := readJSON(c.text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := describe(f); got != c.want || warnings != c.warnings {
			t.Errorf("%s:\ngot  %s\nwant %s\nwarnings %s\nwant     %s", name, got, c.want, warnings, c.warnings)
		}
	}
}

const line = `"geometry":{"type":"LineString","coordinates":[[125,-8],[126,-8]]}`

func TestGeoJSONOfEveryShape(t *testing.T) {
	t.Parallel()
	checkJSON(t, map[string]jsonCase{
		"a point":          {`{"type":"Point","coordinates":[125.5,-8.5]}`, `"Waypoint 1" "" 125.5,-8.5 planned=true`, ""},
		"a point of texts": {`{"type":"Point","coordinates":["125.5","-8,5"]}`, `"Waypoint 1" "" 125.5,-8.5 planned=true`, ""},
		"coordinates and then none": {`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},{"type":"Point","coordinates":[3,4],"coordinates":null}]}`,
			`"Waypoint 1" "" 1,2 planned=true`, "geometries[1].coordinates shape_dropped"},
		"a feature, geometry last": {`{"properties":{"name":"Dili","notes":"port"},"type":"Feature","geometry":{"coordinates":[125.5,-8.5,3],"type":"Point"}}`,
			`"Dili" "port" 125.5,-8.5 planned=true`, ""},
		"a multipoint": {`{"type":"Feature","geometry":{"type":"MultiPoint","coordinates":[[1,2],[3,4]]},"properties":{"title":"A"}}`,
			"\"A\" \"\" 1,2 planned=true\n\"A\" \"\" 3,4 planned=true", ""},
		"two, three and four numbers": {`{"type":"LineString","coordinates":[[125,-8],[126,-8,12.5],[127,-8,13,99,"x",{}]]}`,
			`planned "" | 125,-8 126,-8,12.5 127,-8,13`, ""},
		"a multiline": {`{"type":"MultiLineString","coordinates":[[[1,2],[3,4]],[],[[5,6],[7,8]]]}`, `planned "" | 1,2 3,4 | 5,6 7,8`, "coordinates[1] point_dropped"},
		"a multiline, its first line empty, type last": {`{"coordinates":[[],[[1,2],[3,4]]],"type":"MultiLineString"}`,
			`planned "" | 1,2 3,4`, "coordinates[0] point_dropped"},
		"a collection, type last": {`{"features":[{"geometry":{"coordinates":[[1,2],[3,4]],"type":"LineString"},"type":"Feature"}],"bbox":[1,2,3,4],"type":"FeatureCollection"}`,
			`planned "" | 1,2 3,4`, ""},
		"a geometry collection": {`{"type":"Feature","properties":{"name":"G"},"geometry":{"type":"GeometryCollection","geometries":[
			{"type":"Point","coordinates":[1,2]},{"type":"LineString","coordinates":[[1,2],[3,4]]},
			{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[5,6]}]}]}}`,
			"planned \"G\" | 1,2 3,4\n\"G\" \"\" 1,2 planned=true\n\"G\" \"\" 5,6 planned=true", ""},
		"a geometry among features": {`{"type":"FeatureCollection","features":[{"type":"Point","coordinates":[1,2]}]}`, `"Waypoint 1" "" 1,2 planned=true`, ""},
		"members twice": {`{"type":"FeatureCollection","features":[{"type":"Point","coordinates":[9,9]}],"features":[{"type":"Point","type":"Feature",
			"geometry":{"type":"Point","coordinates":[8,8]},"properties":{"name":"old"},"properties":{},"geometry":{"type":"Point","coordinates":[7,7],"coordinates":[1,2]}}]}`,
			`"Waypoint 1" "" 1,2 planned=true`, ""},
		"features of a feature mean nothing": {`{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"features":[{"type":"Point","coordinates":[9,9]}]}`,
			`"Waypoint 1" "" 1,2 planned=true`, ""},
		"zeros and white space after the end": {`{"type":"Point","coordinates":[1,2]}` + "\n\x00\x00 \x00", `"Waypoint 1" "" 1,2 planned=true`, ""},
		"the line through the markers": {`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"kind":"route"},` + line + `},
			{"type":"Feature",` + line + `,"properties":{"kind":"route","name":"x"}},{"type":"Feature","properties":{"kind":"marker"},"geometry":{"type":"Point","coordinates":[1,2]}}]}`,
			`"Waypoint 1" "" 1,2 planned=true`, ""},
	})
}

func TestGeoJSONDropsWhatHasNoPlaceWithAWarning(t *testing.T) {
	t.Parallel()
	const point = `{"type":"Point","coordinates":[1,2]}`
	const kept = `"Waypoint 1" "" 1,2 planned=true`
	checkJSON(t, map[string]jsonCase{
		"positions of every kind": {`{"type":"FeatureCollection","features":[` + point + `,{"type":"Feature","geometry":{"type":"LineString","coordinates":
			[["125.5","-8,5"],[],[null,-8],["x",2],[1],[181,2],[3,-90.1],[0,0],[1e999,2],null,7,{"a":1},[[1,2]],[[[1]]],[126,-8,"7"],[-180,90]]}}]}`,
			"planned \"\" | 125.5,-8.5 126,-8,7 -180,90\n" + kept, dropped("features[1].geometry.coordinates[%d]", 1, 11) +
				", features[1].geometry.coordinates[12][0] point_dropped, features[1].geometry.coordinates[13][0] point_dropped"},
		"elevations": {`{"type":"LineString","coordinates":[[1,2,null],[3,4,"high"],[5,6,1e39],[7,8,-0.5],[1,3,-9999]]}`, `planned "" | 1,2 3,4 5,6 7,8,-0.5 1,3`,
			"coordinates[1] unreadable, coordinates[2] out_of_range, coordinates[4] out_of_range"},
		"in a multiline": {`{"type":"Feature","geometry":{"type":"MultiLineString","coordinates":[[[1,2],[0,0],[3,4]],[5,6],[[7,8]]]}}`, `planned "" | 1,2 3,4`,
			"geometry.coordinates[0][1] point_dropped, geometry.coordinates[1] point_dropped, geometry.coordinates shape_dropped"},
		"wrong depths": {`{"type":"GeometryCollection","geometries":[` + point + `,{"type":"Point","coordinates":[[1,2]]},{"type":"MultiPoint","coordinates":[1,2]},
			{"type":"LineString","coordinates":[1,2]},{"type":"Point","coordinates":[null,2]}]}`, kept,
			"geometries[1].coordinates[0] point_dropped, geometries[2].coordinates point_dropped, geometries[3].coordinates point_dropped, geometries[4].coordinates[0] point_dropped, geometries[4].coordinates[1] point_dropped"},
		"no geometry": {`{"type":"FeatureCollection","features":[` + point + `,{"type":"Feature","properties":null,"geometry":null},{"type":"Feature"},3,null,{},
			{"type":"Feature","geometry":7},{"type":"Feature","geometry":{"coordinates":[1,2]}}]}`, kept,
			"features[1].geometry point_dropped, features[2].geometry point_dropped, features[3] shape_dropped, features[4] shape_dropped, features[5].type shape_dropped, " +
				"features[6].geometry.type shape_dropped, features[7].geometry.type shape_dropped"},
		"other geometries": {`{"type":"FeatureCollection","features":[` + point + `,{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[1,2],[3,4],[5,6],[1,2]]]}},
			{"type":"Feature","geometry":{"coordinates":[[[[1,2],[3,4],[5,6],[1,2]]]],"type":"MultiPolygon"}},{"type":"Feature","geometry":{"type":"Circle"}}]}`, kept,
			"features[1].geometry.type shape_dropped, features[2].geometry.type shape_dropped, features[3].geometry.type shape_dropped"},
		"nothing inside": {`{"type":"GeometryCollection","geometries":[` + point + `,{"type":"LineString","coordinates":[]},{"type":"Point"},
			{"type":"GeometryCollection","geometries":[]},{"type":"LineString","coordinates":[[1,2]]}]}`, kept,
			"geometries[1].coordinates shape_dropped, geometries[2].coordinates shape_dropped, geometries[3].type shape_dropped, geometries[4].coordinates shape_dropped"},
	})
}

// dropped is the text of a point_dropped warning for each number from first to last.
func dropped(place string, first, last int) string {
	var all []string
	for i := first; i <= last; i++ {
		all = append(all, fmt.Sprintf(place, i)+" point_dropped")
	}
	return strings.Join(all, ", ")
}

func markedAs(properties string) string {
	return `{"type":"Feature","geometry":{"type":"Point","coordinates":[125.5,-8.5]},"properties":{` + properties + `}}`
}

func TestWaypointsOfGeoJSON(t *testing.T) {
	t.Parallel()
	place := ` 125.5,-8.5 planned=`
	unnamed := `"Waypoint 1" ""` + place
	checkJSON(t, map[string]jsonCase{
		"timestamp":                  {markedAs(`"timestamp":"2026-11-19"`), unnamed + "false 2026-11-19", ""},
		"estimated time":             {markedAs(`"estimated_time":"2026-12-24"`), unnamed + "true 2026-12-24", ""},
		"both":                       {markedAs(`"timestamp":"2026-11-19","estimated_time":"2026-12-24"`), unnamed + "true 2026-12-24", "properties.timestamp not_taken"},
		"a stated type":              {markedAs(`"marker_type":"Past"`), unnamed + "false", ""},
		"a stated type with a time":  {markedAs(`"marker_type":"plan","time":"2026-11-19"`), unnamed + "true 2026-11-19", ""},
		"the date of the other type": {markedAs(`"marker_type":"past","estimated_time":"2026-12-24"`), unnamed + "false", "properties.estimated_time not_taken"},
		"an unknown type":            {markedAs(`"marker_type":"x","timestamp":"2026-11-19"`), unnamed + "false 2026-11-19", "properties.marker_type unreadable"},
		"a time in the past":         {markedAs(`"time":"2026-11-20T11:00:00Z"`), unnamed + "false 2026-11-20", ""},
		"a time in the future":       {markedAs(`"time":"2026-11-20T13:00:00Z"`), unnamed + "true 2026-11-20", ""},
		"Z in the country":           {markedAs(`"timestamp":"2026-11-18T20:00:00Z"`), unnamed + "false 2026-11-19", ""},
		"an offset":                  {markedAs(`"timestamp":"2026-11-18T20:00:00+02:00"`), unnamed + "false 2026-11-18", ""},
		"no zone":                    {markedAs(`"timestamp":"2026-11-18T20:00:00"`), unnamed + "false 2026-11-18", ""},
		"milliseconds":               {markedAs(`"timestamp":1795129200000`), unnamed + "false 2026-11-20", ""},
		"no date":                    {markedAs(`"timestamp":"soon","notes":""`), unnamed + "false", "properties.timestamp unreadable"},
		"a date before calendars":    {markedAs(`"timestamp":"0001-01-01"`), unnamed + "false", "properties.timestamp out_of_range"},
		"names":                      {markedAs(`"title":"T","desc":"D","name":null,"Description":"E","notes":{"a":1}`), `"T" "E"` + place + "true", ""},
		"a number as name":           {markedAs(`"name":7`), `"7" ""` + place + "true", ""},
		"a long name":                {markedAs(`"name":"` + strings.Repeat("é", 201) + `"`), `"` + strings.Repeat("é", 200) + `" ""` + place + "true", "properties.name cut"},
		"no zero bytes":              {markedAs(`"name":"a\u0000b\ud800"`), "\"ab\uFFFD\" \"\"" + place + "true", ""},
	})
}

func timed(properties string) string {
	return `{"type":"Feature","geometry":{"type":"LineString","coordinates":[[125,-8],[0,0],[126,-8]]},"properties":{` + properties + `}}`
}

func TestTimesOfGeoJSONLines(t *testing.T) {
	t.Parallel()
	const none = `planned "" | 125,-8 126,-8`
	const bad = "geometry.coordinates[1] point_dropped"
	checkJSON(t, map[string]jsonCase{
		"texts": {timed(`"coordTimes":["2026-11-19T01:00:00Z","2026-11-19T01:00:30.5Z","2026-11-19T01:01:00.25Z"],"name":"Ride"`),
			`recorded "Ride" | 125,-8@1119T01:00:00 126,-8@1119T01:01:00.25`, bad},
		"milliseconds": {timed(`"times":[1795129200000,1795129201000,1795129202001]`), `recorded "" | 125,-8@1119T23:00:00 126,-8@1119T23:00:02.001`, bad},
		"an offset": {timed(`"coordinateProperties":{"heart":[1,2,3],"times":["2026-11-20T08:00:00+09:00",null,"2026-11-20T09:00:00+09:00"]}`),
			`recorded "" 9h0m0s | 125,-8@1119T23:00:00 126,-8@1120T00:00:00`, bad},
		"the future": {timed(`"coordTimes":["2026-11-19T01:00:00Z","2026-11-19T01:00:30Z","2026-12-19T01:01:00Z"]`),
			`planned "" | 125,-8@1119T01:00:00 126,-8@1219T01:01:00`, bad},
		"too few":                      {timed(`"coordTimes":["2026-11-19T01:00:00+09:00"]`), none, "properties.coordTimes unreadable, " + bad},
		"no array":                     {timed(`"coordTimes":"2026-11-19T01:00:00+09:00","times":null,"coordinateProperties":7`), none, "properties.coordTimes unreadable, " + bad},
		"the best of several":          {timed(`"coordTimes":[1795129200000,"x",null],"times":[7],"coordinateProperties":{"times":[]}`), `recorded "" | 125,-8@1119T23:00:00 126,-8`, "properties.coordTimes[1] unreadable, " + bad},
		"other dates":                  {timed(`"estimated_time":"2026-12-24","time":"2026-12-24"`), none, "properties.estimated_time not_taken, properties.time not_taken, " + bad},
		"other dates beside the times": {timed(`"time":"2026-11-19","coordTimes":[1795129200000,null,null]`), `recorded "" | 125,-8@1119T23:00:00 126,-8`, bad},
		"seconds":                      {timed(`"times":[1795129200,1795129201.5,1795129203]`), `recorded "" | 125,-8@1119T23:00:00 126,-8@1119T23:00:03`, bad},
		"durations":                    {timed(`"times":[0,9.5,400000000]`), none, "properties.times not_taken, " + bad},
		"the ends of a track of this API": {timed(`"kind":"track","track_kind":"recorded","started_at":"2026-11-19T01:00:00.000Z","ended_at":"2026-11-19T02:00:00.000Z"`),
			`recorded "" | 125,-8@1119T01:00:00 126,-8@1119T02:00:00`, bad},
		"the ends of no line": {`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"LineString","coordinates":[]},"properties":{"started_at":"2026-11-19"}},
			{"type":"Point","coordinates":[1,2]}]}`, `"Waypoint 1" "" 1,2 planned=true`, "features[0].geometry.coordinates shape_dropped"},
		"times that cannot be read": {timed(`"coordTimes":["x",{"a":[]},"1979-12-31T23:00:00Z"]`), none, "properties.coordTimes[0] unreadable, properties.coordTimes[1] unreadable, properties.coordTimes[2] out_of_range, " + bad},
		"before the geometry, a multiline": {`{"properties":{"coordTimes":[["2026-11-19T01:00:00Z","2026-11-19T02:00:00Z"],["2026-11-19T03:00:00Z","2026-11-19T04:00:00Z"]]},
			"geometry":{"coordinates":[[[1,2],[3,4]],[[5,6],[7,8]]],"type":"MultiLineString"},"type":"Feature"}`,
			`recorded "" | 1,2@1119T01:00:00 3,4@1119T02:00:00 | 5,6@1119T03:00:00 7,8@1119T04:00:00`, ""},
		"properties twice": {`{"properties":{"times":[1795129200000,1795129200000]},` + line + `,"properties":{},"type":"Feature"}`, `planned "" | 125,-8 126,-8`, ""},
		"the next feature has none": {`{"type":"FeatureCollection","features":[{"properties":{"times":[1795129200000,1795129200000]},` + line + `,"type":"Feature"},{` + line + `,"type":"Feature"}]}`,
			"recorded \"\" | 125,-8@1119T23:00:00 126,-8@1119T23:00:00\nplanned \"\" | 125,-8 126,-8", ""},
	})
}

func TestBrokenGeoJSONNamesItsFault(t *testing.T) {
	t.Parallel()
	point := `{"type":"Point","coordinates":[1,2]}`
	for text, place := range map[string]string{
		"{\"type\":\"FeatureCollection\",\n\"features\":[}\n\n": "line 2",
		"{\n\n\"type\" 1\n\n}":                       "line 3",
		point + "\n{}\n\n":                           "line 2",
		point + strings.Repeat("\n", 5000) + "x\n":   "line 5001",
		"{\n\"type\":\n":                             "line 3",
		`{"type":"FeatureCollection","features":{}}`: "features",
		strings.Repeat(`{"a":`, 20000):               "line 1",
		`{"type":"FeatureCollection","features":[` + strings.Repeat("[", 20000): "line 1",
	} {
		for _, src := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
			f, err := readGeoJSON(src, now(), nil)
			var fault *Fault
			if !errors.As(err, &fault) || fault.Place != place || f != nil {
				t.Errorf("%.60q: %v, want a fault at %s", text, err, place)
			}
		}
	}
	for text, want := range map[string]error{
		`{"type":"Topology","objects":{}}`: ErrUnknownFormat, `{}`: ErrUnknownFormat, `[1]`: ErrUnknownFormat,
		`{"type":"FeatureCollection","features":[]}`: ErrEmpty, `{"type":"FeatureCollection"}`: ErrEmpty, `{"type":"Feature","geometry":null}`: ErrEmpty,
	} {
		if _, _, err := readJSON(text); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
	broken := errors.New("broken source")
	w := warning.NewCollector(context.Background())
	for _, cut := range []int{0, 5, len(point)} {
		if _, err := readGeoJSON(io.MultiReader(strings.NewReader(point[:cut]), iotest.ErrReader(broken)), now(), w); !errors.Is(err, broken) {
			t.Errorf("a source that fails after %d bytes: %v", cut, err)
		}
	}
}

// A file that ends too early is a fault wherever it ends, and nothing of it is kept.
func TestGeoJSONThatEndsTooEarly(t *testing.T) {
	t.Parallel()
	whole := `{"features":[{"type":"Feature","properties":{"coordTimes":["2026-11-19T01:00:00Z",1],"name":"x"},` + line + `}],"type":"FeatureCollection"}`
	if _, _, err := readJSON(whole); err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		f, _, err := readJSON(whole[:i])
		var fault *Fault
		if !errors.As(err, &fault) || f != nil || fault.Message != "the file ends too early" {
			t.Errorf("%s: %v", whole[:i], err)
		}
	}
}

func TestReadsTheGeoJSONOfPrograms(t *testing.T) {
	t.Parallel()
	files := map[string][2]string{
		"brouter.geojson":  {`planned "brouter_trekking_0" | 125.5712,-8.5531,9.25 125.57845,-8.5519,11 125.58501,-8.55002,14.5 125.5923,-8.55133,22.75 125.5987,-8.55391,31`, "features[0].properties.times not_taken"},
		"gpsbabel.geojson": {`planned "To Lospalos" | 126.91,-8.53 126.95,-8.526,312.25 126.998333,-8.521667,300` + "\n" + `"Lospalos" "Guest house" 126.998333,-8.521667 planned=true`, ""},
		"ogr2ogr.geojson":  {`planned "Suai - Zumalai" | 125.2571,-9.3127,21 125.2688,-9.3071,24.5 125.2812,-9.2994,28` + "\n" + `"Camp" "Shade, no water" 125.2812,-9.2994 planned=true`, "features[2].geometry.type shape_dropped, features[3].geometry point_dropped"},
		"phone.geojson":    {`recorded "Seen by phone" | 125.5731,-8.5561,3.5@1119T23:00:00 125.5744,-8.557@1119T23:00:30 125.576,-8.5582,4.1@1119T23:01:30`, "geometry.coordinates[1] unreadable, geometry.coordinates[2] point_dropped"},
		"togeojson.geojson": {`recorded "Morning to Manatuto" | 126.0133,-8.5114,4.2@1118T22:14:05 126.0141,-8.5109,4.6@1118T22:14:25 126.0153,-8.5102,5@1118T22:14:45 | 126.0312,-8.5041,12.8@1118T23:02:11 126.0321,-8.5034,13.4@1118T23:02:31
planned "Laleia detour" | 126.1702,-8.5391 126.1767,-8.5455 126.1812,-8.5502
"Water" "Spring beside the road" 126.0207,-8.5078 planned=false 2026-11-19`, ""},
	}
	for name, want := range files {
		text, err := os.ReadFile(filepath.Join("testdata/geojson", name))
		if err != nil {
			t.Fatal(err)
		}
		checkJSON(t, map[string]jsonCase{name: {string(text), want[0], want[1]}})
	}
	if found, err := filepath.Glob("testdata/geojson/*"); err != nil || len(found) != len(files) {
		t.Errorf("%d fixtures, %d expectations (%v)", len(found), len(files), err)
	}
}
