package trackfile

import (
	"strings"
	"testing"
)

const (
	point1 = `<trkpt lat="1" lon="2"/>`
	point2 = `<trkpt lat="3" lon="4"/>`
	route2 = `<rtept lat="1" lon="2"/><rtept lat="3" lon="4"/>`
)

func TestLinesOfAGPXFile(t *testing.T) {
	t.Parallel()
	at := func(time string) string { return `<trkpt lat="1" lon="2"><time>` + time + `</time></trkpt>` }
	for name, c := range map[string]struct{ file, want, warnings string }{
		"segments of one and of no point": {"<gpx>\n<trk><trkseg>" + point1 + "</trkseg><trkseg/><trkseg>" + point1 + point2 + "</trkseg></trk></gpx>",
			"planned \"\"\n  1,2,NaN 3,4,NaN\n", "line 2 shape_dropped"},
		"a track without points":    {"<gpx><trk><name>a</name></trk><trk><trkseg/></trk><rte/>" + wpt + "</gpx>", "plan \"Waypoint 1\" \"\" 1,2 -\n", ""},
		"points outside a segment":  {"<gpx><trk>" + point1 + point2 + "</trk></gpx>", "planned \"\"\n  1,2,NaN 3,4,NaN\n", ""},
		"points outside a track":    {"<gpx>\n" + point1 + "\n<trkseg>" + point1 + "</trkseg>" + wpt + "</gpx>", "plan \"Waypoint 1\" \"\" 1,2 -\n", "line 2 point_dropped, line 3 point_dropped"},
		"elements in another order": {"<gpx><trk><trkseg>" + point1 + point2 + "</trkseg><name> a\n</name><name>b</name></trk>" + wpt + "</gpx>", "plan \"Waypoint 1\" \"\" 1,2 -\nplanned \"a\"\n  1,2,NaN 3,4,NaN\n", ""},
		"a clock that runs ahead":   {inTrack(at("2026-11-21T11:59:00Z") + point2), "recorded \"\"\n  1,2,NaN,2026-11-21T11:59:00 3,4,NaN\n", ""},
		"a track in the future":     {inTrack(at("2026-11-01T00:00:00Z") + at("2026-11-21T12:00:01Z")), "planned \"\"\n  1,2,NaN,2026-11-01T00:00:00 1,2,NaN,2026-11-21T12:00:01\n", ""},
		"a route with times":        {`<gpx><rte><rtept lat="1" lon="2"><time>2026-11-01T00:00:00Z</time></rtept>` + route2 + "</rte></gpx>", "planned \"\" route\n  1,2,NaN,2026-11-01T00:00:00 1,2,NaN 3,4,NaN\n", ""},
		"offsets that change":       {inTrack(at("2026-11-01T00:00:00Z") + at("2026-11-01T09:00:01+09:00") + at("2026-11-01T08:00:02+08:00")), "recorded \"\" 9h0m0s\n  1,2,NaN,2026-11-01T00:00:00 1,2,NaN,2026-11-01T00:00:01 1,2,NaN,2026-11-01T00:00:02\n", ""},
		"a long name":               {"<gpx>\n<trk><name>" + strings.Repeat("é", 201) + "</name>" + point1 + point2 + "</trk></gpx>", "planned \"" + strings.Repeat("é", 200) + "\"\n  1,2,NaN 3,4,NaN\n", "line 2 cut"},
		"a derived line":            {"<gpx><trk><trkseg>" + point1 + point2 + "</trkseg><src> " + DerivedSource + "\n</src></trk><rte><src>" + DerivedSource + "</src>" + route2 + "</rte>" + wpt + "</gpx>", "plan \"Waypoint 1\" \"\" 1,2 -\n", ""},
		"another source":            {"<gpx><rte><src>" + DerivedSource + ".</src>" + route2 + "</rte></gpx>", "planned \"\" route\n  1,2,NaN 3,4,NaN\n", ""},
	} {
		if got, warnings := readAll(t, c.file); got != c.want || warnings != c.warnings {
			t.Errorf("%s: %s %s", name, got, warnings)
		}
	}
}

// OsmAnd writes the points through which a track was planned as a route of the same file.
func TestRoutesThroughPointsOfATrack(t *testing.T) {
	t.Parallel()
	via := `<rte><rtept lat="1" lon="2"><extensions><osmand:trkpt_idx>0</osmand:trkpt_idx></extensions></rtept>` + route2 + `</rte>`
	rte, trk := "<rte>"+route2+"</rte>", "<trk>"+point1+point2+"</trk>"
	const ofVia, ofRte, ofTrk = "planned \"\" route\n  1,2,NaN 1,2,NaN 3,4,NaN\n", "planned \"\" route\n  1,2,NaN 3,4,NaN\n", "planned \"\"\n  1,2,NaN 3,4,NaN\n"
	for file, want := range map[string]string{
		via: ofVia, via + rte: ofVia + ofRte, via + trk: ofTrk, rte + trk: ofRte + ofTrk, trk + via + rte + via: ofTrk + ofRte,
		`<rte><rtept lat="1" lon="2"><extensions><osmand:trkpt_idx/></extensions></rtept></rte>` + rte + trk: ofRte + ofTrk, // a route of one point
	} {
		if got, _ := readAll(t, "<gpx>"+file+"</gpx>"); got != want {
			t.Errorf("%s: %s", file, got)
		}
	}
}

func TestWaypointsOfAGPXFile(t *testing.T) {
	t.Parallel()
	for inside, want := range map[string]string{
		``:                                  `plan "Waypoint 1" "" -8.5,125.5 -`,
		`<name> Dili </name><desc>a</desc>`: `plan "Dili" "a" -8.5,125.5 -`,
		`<name>002</name><cmt>002</cmt><desc>002</desc>`:           `plan "002" "" -8.5,125.5 -`,
		`<desc> </desc><cmt>b</cmt>`:                               `plan "Waypoint 1" "b" -8.5,125.5 -`,
		`<name>a &lt;b&gt; <i>c</i> d</name>`:                      `plan "a <b> c d" "" -8.5,125.5 -`,
		`<time>2026-11-19T20:00:00Z</time>`:                        `past "Waypoint 1" "" -8.5,125.5 2026-11-20`,
		`<time>2026-11-20T05:00:00+09:00</time><type>Hotel</type>`: `past "Waypoint 1" "" -8.5,125.5 2026-11-20`,
		`<time>2026-11-19T23:00:00-02:00</time>`:                   `past "Waypoint 1" "" -8.5,125.5 2026-11-19`,
		`<time>2026-11-20T12:00:01Z</time>`:                        `plan "Waypoint 1" "" -8.5,125.5 2026-11-20`,
		`<time>2026-11-19T20:00:00Z</time><type> PLAN </type>`:     `plan "Waypoint 1" "" -8.5,125.5 2026-11-20`,
		`<time>2030-01-01</time><type>past</type>`:                 `past "Waypoint 1" "" -8.5,125.5 2030-01-01`,
		`<time>1969-07-20T20:17:00Z</time>`:                        `past "Waypoint 1" "" -8.5,125.5 1969-07-21`,
		`<time>1899-12-31T20:17:00Z</time>`:                        `plan "Waypoint 1" "" -8.5,125.5 - out_of_range`,
		`<time>2200-01-01T00:00:00Z</time><type>past</type>`:       `past "Waypoint 1" "" -8.5,125.5 - out_of_range`,
		`<time>2026-11-19T20:00:00Z</time><x:time>soon</x:time>`:   `past "Waypoint 1" "" -8.5,125.5 2026-11-20`,
		`<time>soon</time>`:                                        `plan "Waypoint 1" "" -8.5,125.5 - unreadable`,
		`<name>` + strings.Repeat("x", 70000) + `</name>`:          `plan "` + strings.Repeat("x", 200) + `" "" -8.5,125.5 - cut`,
		`<desc>` + strings.Repeat(" ", 70000) + `x</desc>`:         `plan "Waypoint 1" "x" -8.5,125.5 -`,
		`<desc>` + strings.Repeat("é", 5001) + `</desc>`:           `plan "Waypoint 1" "` + strings.Repeat("é", 5000) + `" -8.5,125.5 - cut`,
	} {
		got, warnings := readAll(t, `<gpx><wpt lat="-8.5" lon="125.5">`+inside+`</wpt></gpx>`)
		if got = strings.TrimSpace(strings.TrimSpace(got) + strings.TrimPrefix(warnings, "line 1")); got != want {
			t.Errorf("%.60s: %s", inside, got)
		}
	}
	// Elsewhere a time in Z counts in the day of UTC.
	if got, _ := readAll(t, `<gpx><wpt lat="1" lon="125.5"><time>2026-11-19T20:00:00Z</time></wpt></gpx>`); got != "past \"Waypoint 1\" \"\" 1,125.5 2026-11-19\n" {
		t.Errorf("got %s", got)
	}
}

func TestWaypointsAreNumberedAsTheyAreKept(t *testing.T) {
	t.Parallel()
	got, _ := readAll(t, "<gpx>"+wpt+`<wpt lat="" lon=""/>`+"<trk>"+point1+point2+"</trk>"+wpt+"</gpx>")
	if want := "plan \"Waypoint 1\" \"\" 1,2 -\nplan \"Waypoint 2\" \"\" 1,2 -\nplanned \"\"\n  1,2,NaN 3,4,NaN\n"; got != want {
		t.Errorf("got %s", got)
	}
}
