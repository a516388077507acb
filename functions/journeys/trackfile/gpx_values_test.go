package trackfile

import (
	"strings"
	"testing"
)

// lineOf is a file with one line for each point, of two good points with more between them.
func lineOf(points ...string) string {
	return "<gpx><trk><trkseg><trkpt lat=\"1\" lon=\"2\"/>\n" + strings.Join(points, "\n") + "\n<trkpt lat=\"3\" lon=\"4\"/></trkseg></trk></gpx>"
}

func TestPointsWithoutAPlaceAreDropped(t *testing.T) {
	t.Parallel()
	for _, attributes := range []string{`lat="" lon=""`, `lat="1" lon=""`, `lat="" lon="2"`, `lat=" " lon="2"`, `lon="2"`, `lat="1"`, ``, `lat="x" lon="2"`,
		`lat="1" lon="2°"`, `lat="1,2,3" lon="2"`, `lat="90.1" lon="2"`, `lat="-91" lon="2"`, `lat="1" lon="180.01"`, `lat="1" lon="-181"`, `lat="NaN" lon="2"`,
		`lat="1" lon="NaN"`, `lat="Inf" lon="2"`, `lat="1" lon="-Infinity"`, `lat="1e999" lon="2"`, `lat="0" lon="0"`, `lat="-0.0" lon="0,000"`} {
		point := "<trkpt " + attributes + "><ele>x</ele><time>x</time></trkpt>"
		got, warnings := readAll(t, lineOf(point))
		if want := "planned \"\"\n  1,2,NaN 3,4,NaN\n"; got != want || warnings != "line 2 point_dropped" {
			t.Errorf("%s: %s %s", attributes, got, warnings)
		}
		got, warnings = readAll(t, "<gpx>\n<wpt "+attributes+"><name>lost</name></wpt><wpt lat=\"1\" lon=\"2\"/></gpx>")
		if want := "plan \"Waypoint 1\" \"\" 1,2 -\n"; got != want || warnings != "line 2 point_dropped" {
			t.Errorf("%s: %s %s", attributes, got, warnings)
		}
	}
}

func TestPlacesAreReadInAnyForm(t *testing.T) {
	t.Parallel()
	for attributes, want := range map[string]string{
		`lat="-8,55" lon="125,57"`: "-8.55,125.57", `lat=" -8.55 " lon="+125.57"`: "-8.55,125.57", `lat='-855e-2' lon='1.2557E2'`: "-8.55,125.57",
		`lat="0" lon="125"`: "0,125", `lat="-8" lon="0"`: "-8,0", `lat="-90" lon="180"`: "-90,180", `lat="90" lon="-180"`: "90,-180",
		`lon="125" id="7" lat="-8"`: "-8,125", "lat=\"-8\"\n\tlon=\"125\"": "-8,125",
	} {
		if got, warnings := readAll(t, lineOf("<trkpt "+attributes+"/>")); got != "planned \"\"\n  1,2,NaN "+want+",NaN 3,4,NaN\n" || warnings != "" {
			t.Errorf("%s: %s %s", attributes, got, warnings)
		}
	}
}

func TestElevations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"12.5": "12.5", "12,5": "12.5", " \n12\n": "12", "-3.25": "-3.25", "0": "0", "1.5e3": "1500", "<![CDATA[7]]>": "7", "-1000": "-1000", "100000": "100000",
		"": "NaN", "\n": "NaN", "unknown": "NaN unreadable", "12 m": "NaN unreadable", "NaN": "NaN unreadable", "1e999": "NaN unreadable", "-Inf": "NaN unreadable",
		"1e30": "NaN out_of_range", "-9999": "NaN out_of_range", "-32768": "NaN out_of_range",
	} {
		want, warned, _ := strings.Cut(want, " ")
		if warned != "" {
			warned = "line 2 " + warned
		}
		got, warnings := readAll(t, lineOf(`<trkpt lat="1" lon="2"><ele>`+text+`</ele></trkpt>`))
		if got != "planned \"\"\n  1,2,NaN 1,2,"+want+" 3,4,NaN\n" || warnings != warned {
			t.Errorf("%q: %s %s", text, got, warnings)
		}
	}
}

func TestTimesOfPoints(t *testing.T) {
	t.Parallel()
	const at = "2026-11-19T23:00:00"
	for text, want := range map[string]string{
		at + "Z": at, " " + at + "Z\n": at, "2026-11-19 23:00:00Z": at, at: at, "2026-11-20T08:00:00+0900": at + " 9h0m0s", "2026-11-20T08:00:00+09:00": at + " 9h0m0s",
		at + "+00:00": at, at + ".25Z": at + ".25", at + ".123456789Z": at + ".123", "2026-11-19T18:30:00-04:30": at + " -4h30m0s", "1795129200": at,
		"": "", "\n ": "", "null": "unreadable", "23:00:00": "unreadable", "2026-02-30T00:00:00Z": "unreadable",
		"0001-01-01T00:00:00Z": "out_of_range", "1970-01-01T00:00:09.000Z": "out_of_range", "1979-12-31T23:59:59Z": "out_of_range", "2200-01-01T00:00:00Z": "out_of_range",
	} {
		got, warnings := readAll(t, lineOf(`<trkpt lat="1" lon="2"><time>`+text+`</time></trkpt>`))
		read, offset, _ := strings.Cut(want, " ")
		wanted, warned := "planned \"\"\n  1,2,NaN 1,2,NaN 3,4,NaN\n", ""
		switch {
		case strings.HasPrefix(want, "2"):
			wanted = strings.TrimSpace("recorded \"\" "+offset) + "\n  1,2,NaN 1,2,NaN," + read + " 3,4,NaN\n"
		case want != "":
			warned = "line 2 " + want
		}
		if got != wanted || warnings != warned {
			t.Errorf("%q: %s %s", text, got, warnings)
		}
	}
}

// The first value of a point counts, so that an element of another program with the same name changes nothing. What is not
// used is not looked at.
func TestWhatIsNotUsedIsNotLookedAt(t *testing.T) {
	t.Parallel()
	got, warnings := readAll(t, lineOf(`<trkpt lat="1" lon="2"><ele>5</ele><time>2026-11-19T23:00:00Z</time><magvar>-0,3</magvar><geoidheight/><name>&lt;</name><sat>9,0</sat>`+
		`<hdop>--</hdop><speed>null</speed><course>NaN</course><x:ele>6</x:ele><x:time>never</x:time><extensions><ele>7</ele><time>x</time><trkpt lat="x"/></extensions></trkpt>`))
	if want := "recorded \"\"\n  1,2,NaN 1,2,5,2026-11-19T23:00:00 3,4,NaN\n"; got != want || warnings != "" {
		t.Errorf("got %s %s", got, warnings)
	}
}
