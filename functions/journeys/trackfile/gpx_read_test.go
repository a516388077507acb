package trackfile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/warning"
)

// written writes a file with one line for each waypoint, track and segment.
func written(f *File) string {
	var b strings.Builder
	for _, w := range f.Waypoints {
		kind, day := "past", "-"
		if w.Planned {
			kind = "plan"
		}
		if w.Day != nil {
			day = w.Day.Format(time.RFC3339)
		}
		fmt.Fprintf(&b, "%s %q %q %v,%v %s\n", kind, w.Name, w.Notes, w.Lat, w.Lon, strings.TrimSuffix(day, "T00:00:00Z"))
	}
	for _, t := range f.Tracks {
		fmt.Fprintf(&b, "%s %q", t.Kind, t.Name)
		if t.Route {
			b.WriteString(" route")
		}
		if t.Offset != nil {
			fmt.Fprintf(&b, " %v", *t.Offset)
		}
		for _, s := range t.Segments {
			b.WriteString("\n ")
			for _, p := range s {
				fmt.Fprintf(&b, " %v,%v,%v", p.Lat, p.Lon, p.Elevation)
				if p.Time != track.NoTime {
					b.WriteString("," + time.UnixMilli(p.Time).UTC().Format("2006-01-02T15:04:05.999"))
				}
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// readAll reads a text. It returns what written writes, and the warnings.
func readAll(t *testing.T, text string) (string, string) {
	t.Helper()
	w := warning.NewCollector(context.Background())
	f, err := Read(strings.NewReader(text), now(), w)
	if err != nil {
		return err.Error(), codes(w)
	}
	return written(f), codes(w)
}

func fixture(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "gpx", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestReadsTheFilesOfPrograms(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"brouter.gpx": `plan "from" "" -8.5537,125.5784 -
plan "to" "" -8.5512,125.596 -
planned "brouter_trekking_0"
  -8.5537,125.5784,4.25 -8.55312,125.58191,4.5 -8.55247,125.58604,6 -8.55188,125.59073,NaN -8.5512,125.596,9.75
`,
		"garmin-basecamp.gpx": `planned "Dili - Hera" route
  -8.5537,125.5784,NaN,2026-11-22T23:00:00 -8.5561,125.5902,NaN -8.5603,125.612,NaN -8.5702,125.6333,NaN -8.5777,125.6401,NaN -8.5812,125.6511,NaN
`,
		"garmin-connect.gpx": `recorded "Liquiçá Cycling"
  -8.591200010851026,125.3270999994129,12.2,2026-10-03T21:03:11 -8.590578017756343,125.33191302791238,13.400001,2026-10-03T21:03:32 -8.589682010933757,125.33674805983901,13.8,2026-10-03T21:03:54
`,
		"garmin-etrex.gpx": `past "001" "Spring behind the church" -8.8712,125.7199 2026-10-05
past "002" "" -8.9973,125.6478 2026-10-04
recorded "04-OCT-26 12:40:02"
  -8.871172,125.719931,1288.4,2026-10-04T00:10:11 -8.87339,125.71742,1271.1,2026-10-04T00:12:43 -8.876051,125.714803,1250.91,2026-10-04T00:15:20
recorded "04-OCT-26 14:31:47"
  -8.996004,125.648113,846.92,2026-10-04T05:20:00 -8.99729,125.647802,842.11,2026-10-04T05:31:47
`,
		"gpsbabel-1.0.gpx": `past "Old market" "Rice, water and a tap" -8.4757,126.4563 2026-10-30
planned "To Baucau" route
  -8.5347,126.364,NaN -8.4757,126.4563,NaN
recorded "Laleia"
  -8.5347,126.364,8.4,2026-10-30T01:02:03 -8.5331,126.3711,9.1,2026-10-30T01:04:33
`,
		"komoot.gpx": `planned "Same – Betano & back"
  -9.005601,125.647912,384.1204,2026-12-05T23:00:00 -9.06133,125.671005,211.00412,2026-12-05T23:24:51.337 -9.160012,125.721804,6.5,2026-12-06T00:11:09.1
`,
		"lafaekstreet.gpx": `past "Dili" "Start" -8.5537,125.5784 2026-11-14
plan "Manatuto" "" -8.5108,126.0158 2026-11-28
`,
		"organic-maps.gpx": `plan "Bee moos 水 – água" "Ask at the house" -8.519012,125.996711 -
recorded "Recorded"
  -8.510801,126.015802,7.1,2026-11-19T22:10:00 -8.511954,126.010371,7.9,2026-11-19T22:12:10
planned "Drawn"
  -8.511954,126.010371,NaN -8.519012,125.996711,NaN
`,
		"osmand-plan.gpx": `past "Pousada" "Room for two" -8.83389,125.59931 2026-11-18
planned ""
  -8.7262,125.5652,1016 -8.78104,125.58117,1407.5 -8.83389,125.59931,1432
`,
		"osmand-recording.gpx": `past "Bridge with holes" "" -8.86011,126.52204 2026-11-17
recorded "2026-11-17_07-31_Tue"
  -8.87125,126.51012,388.7,2026-11-16T22:31:00 -8.86883,126.51319,390.2,2026-11-16T22:33:20
  -8.8612,126.52099,401,2026-11-17T00:40:02 -8.86011,126.52204,402.3,2026-11-17T00:41:09 -8.85907,126.52311,403.9,2026-11-17T00:42:18
`,
		"prefixed.gpx": `past "Pante Macassar" "" -9.1981,124.3702 2026-11-15
recorded "Oecusse" 9h0m0s
  -9.1981,124.3702,3,2026-11-14T21:30:00 -9.2107,124.3655,5,2026-11-14T21:41:30
`,
		"ridewithgps-route.gpx": `planned "Com and Tutuala" route
  -8.52219,126.98911,NaN -8.40001,127.06023,NaN -8.39274,127.26011,NaN
`,
		"ridewithgps-track.gpx": `plan "Left" "Turn left at the cathedral" -9.31291,125.25591 -
planned "Suai loop"
  -9.31285,125.2558,21.3 -9.31291,125.25591,21.2 -9.32004,125.26712,17
`,
		"strava.gpx": `recorded "Morning Ride 🚲"
  -8.694211,125.560534,703.2,2026-09-12T21:40:07 -8.694839,125.560772,NaN,2026-09-12T21:40:31 -8.695572,125.561108,711,2026-09-12T21:40:58
`,
		"wahoo.gpx": `recorded "Ermera <coffee> & hills"
  -8.752311,125.397104,1183.4,2026-08-21T22:58:00 -8.753012,125.396337,1186,2026-08-21T22:58:29 -8.753904,125.395412,1190.2,2026-08-21T22:59:03
`,
	}
	for name, want := range files {
		if got, warnings := readAll(t, fixture(t, name)); got != want || warnings != "" {
			t.Errorf("%s: warnings %q\n%s\nwant\n%s", name, warnings, got, want)
		}
	}
	if found, err := filepath.Glob("testdata/gpx/*.gpx"); err != nil || len(found) != len(files) {
		t.Errorf("%d fixtures, %d expectations (%v)", len(found), len(files), err)
	}
}
