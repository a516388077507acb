package journeys_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"
)

const trackFile = `<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="a device" xmlns="http://www.topografix.com/GPX/1/1">
 <metadata><name>Tour</name></metadata>
 <wpt lat="-8.55" lon="125.57"><name>Start</name><desc>The port</desc><type>past</type><time>2026-01-01T01:00:00Z</time></wpt>
 <wpt lat="-8.60" lon="125.60"/>
 <rte><rtept lat="-8.47" lon="126.45"><time>2030-02-01T00:00:00Z</time><name>Baucau</name></rtept><rtept lat="-8.47" lon="127.30"/></rte>
 <trk><trkseg>
  <trkpt lat="-8.56" lon="125.58"><time>2026-01-01T02:00:00Z</time></trkpt>
  <trkpt lat="-8.57" lon="125.59"><time>2026-01-02T02:00:00Z</time><extensions><x:hr xmlns:x="urn:x">120</x:hr></extensions></trkpt>
 </trkseg></trk>
</gpx>`

func TestImportOfGPX(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(nil)
	got := maria.call("POST", "/journeys/"+id+"/import", trackFile, "Content-Type", "application/gpx+xml").want(201).object()
	if got["tracks"] != 2.0 || got["markers"] != 2.0 || got["points"] != 4.0 || got["length_meters"].(float64) < 90000 {
		t.Errorf("imported %v", got)
	}
	markers := maria.call("GET", "/journeys/"+id+"/markers", nil).want(200).list()
	var names []string
	for _, m := range markers {
		names = append(names, fmt.Sprint(m["name"], " ", m["marker_type"], " ", m["timestamp"], " ", m["estimated_time"], " ", m["notes"]))
	}
	want := []string{"Start past 2026-01-01 <nil> The port", "Waypoint 2 plan <nil> <nil> "}
	if fmt.Sprint(names) != fmt.Sprint(want) {
		t.Errorf("markers are\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
}

const featuresFile = `{"type": "FeatureCollection", "features": [
 {"type": "Feature", "geometry": {"type": "Point", "coordinates": [125.57, -8.55]}, "properties": {"name": "Dili", "timestamp": "2026-01-01"}},
 {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[125.6, -8.5, 12], [126.45, -8.47]]}, "properties": {"marker_type": "plan", "estimated_time": "2030-01-01"}},
 {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, "properties": {"kind": "route"}}
], "extra": {"kept": false}}`

func TestImportOfGeoJSON(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(nil)
	got := maria.call("POST", "/journeys/"+id+"/import", featuresFile, "Content-Type", "application/geo+json").want(201).object()
	if got["tracks"] != 1.0 || got["markers"] != 1.0 || got["points"] != 2.0 {
		t.Errorf("imported %v", got)
	}
	for _, single := range []string{`{"type":"Point","coordinates":[1,2]}`, `{"type":"Feature","properties":null,"geometry":{"type":"MultiPoint","coordinates":[[1,3]]}}`} {
		if got := maria.call("POST", "/journeys/"+id+"/import", single).want(201).object(); got["markers"] != 1.0 {
			t.Errorf("imported %v of %s", got, single)
		}
	}
}

func TestImportOfAFileInAForm(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(nil)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "tour.gpx")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write([]byte(trackFile)); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	maria.call("POST", "/journeys/"+id+"/import", body.String(), "Content-Type", form.FormDataContentType()).want(201)
}

// What is written can be read: each marker comes back once, with its type, place and date.
func TestExportAndImportGiveTheSameJourney(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(object{"name": "Tour <&> Timor"})
	maria.marker(id, past("Díli & co", "2026-01-01", 125.57, -8.55))
	maria.marker(id, past("Manatuto", "2026-01-02", 126.01, -8.51))
	maria.marker(id, plan("Baucau", "2030-01-03", 126.45, -8.47))
	undated := plan("Somewhere", "", 126.5, -8.6)
	undated["notes"] = "one day"
	maria.marker(id, undated)
	for path, media := range map[string]string{"/route.gpx": "application/gpx+xml", "/route": "application/geo+json"} {
		file := maria.call("GET", "/journeys/"+id+path, nil).want(200)
		if got := file.header.Get("Content-Type"); got != media {
			t.Errorf("%s is %s, want %s", path, got, media)
		}
		copied := maria.journey(nil)
		maria.call("POST", "/journeys/"+copied+"/import", string(file.body), "Content-Type", media).want(201)
		again := maria.call("GET", "/journeys/"+copied+"/route", nil).want(200).object()
		first := maria.call("GET", "/journeys/"+id+"/route", nil).want(200).object()
		if again["length_meters"] != first["length_meters"] {
			t.Errorf("%s: the copy is %v m long, want %v", path, again["length_meters"], first["length_meters"])
		}
		markers := maria.call("GET", "/journeys/"+copied+"/markers", nil).want(200).list()
		if len(markers) != 4 {
			t.Errorf("%s: %d markers came back", path, len(markers))
		}
		notes := 0
		for _, m := range markers {
			if m["notes"] == "one day" && m["name"] == "Somewhere" {
				notes++
			}
		}
		if notes != 1 {
			t.Errorf("%s: the undated marker came back as %v", path, markers)
		}
	}
}

func TestImportIsAllOrNothingAndNamesTheFault(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	tooMany := `{"type":"MultiPoint","coordinates":[` + strings.Repeat("[1,2],", 10000) + "[1,2]]}"
	deep := "<gpx>" + strings.Repeat("<a>", 40) + strings.Repeat("</a>", 40) + "</gpx>"
	bomb := `<!DOCTYPE gpx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><gpx><wpt lat="1" lon="2"><name>&b;</name></wpt></gpx>`
	for name, c := range map[string]struct{ file, place string }{
		"cut off":       {"<gpx>\n<wpt lat=\"1\" lon=\"2\">\n", "line 3"},
		"other root":    {"<kml>\n</kml>", "line 1"},
		"nesting":       {deep, "line 1"},
		"document type": {bomb, "line 1"},
		"empty type":    {"<!DOCTYPE gpx>\n<gpx><wpt lat=\"1\" lon=\"2\"/></gpx>", "line 1"},
		"json":          {"{\"type\": \"FeatureCollection\",\n\"features\": [}", "line 2"},
		"no features":   {`{"type":"FeatureCollection","features":{}}`, "features"},
	} {
		got := maria.call("POST", "/journeys/"+id+"/import", c.file, "Content-Type", "application/octet-stream").want(422).object()
		if got["place"] != c.place {
			t.Errorf("%s: the fault is at %v, want %s (%v)", name, got["place"], c.place, got)
		}
	}
	maria.call("POST", "/journeys/"+id+"/import", tooMany).wantCode(422, "import_too_many_points")
	maria.call("POST", "/journeys/"+id+"/import", "name,lat,lon", "Content-Type", "text/csv").wantCode(415, "import_unknown_format")
	for _, nowhere := range []string{"<gpx></gpx>", `<gpx><wpt lat="NaN" lon="2"/><wpt lat="91" lon="2"/></gpx>`, `{"type":"Point","coordinates":[1e999,2]}`, `{"type":"Polygon","coordinates":[]}`} {
		maria.call("POST", "/journeys/"+id+"/import", nowhere).wantCode(422, "import_empty")
	}
	maria.call("POST", "/journeys/"+id+"/import", "<gpx>"+strings.Repeat(" ", 6<<20)).want(413)
	if n := b.count(`SELECT count(*) FROM markers`); n != 0 {
		t.Errorf("%d markers of broken files were kept", n)
	}
	b.rider().call("POST", "/journeys/"+id+"/import", trackFile).want(403)
}

func TestAJourneyHoldsTenThousandMarkers(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(nil)
	var file strings.Builder
	file.WriteString("<gpx>")
	for i := range 9999 {
		fmt.Fprintf(&file, `<wpt lat="%.5f" lon="%.5f"><time>2026-01-%02dT00:00:00Z</time></wpt>`, -8+float64(i)*1e-4, 125+float64(i)*1e-4, 1+i/400)
	}
	file.WriteString("</gpx>")
	maria.call("POST", "/journeys/"+id+"/import", file.String()).want(201)
	maria.marker(id, past("last", "2026-02-01", 126, -7))
	maria.call("POST", "/journeys/"+id+"/markers", past("more", "2026-02-01", 126, -7)).wantCode(409, "marker_limit")
	maria.call("POST", "/journeys/"+id+"/import", `{"type":"Point","coordinates":[1,2]}`).wantCode(409, "marker_limit")
	if n := len(maria.call("GET", "/journeys/"+id+"/markers", nil).want(200).list()); n != 10000 {
		t.Errorf("%d markers, want 10000", n)
	}
	maria.call("GET", "/journeys/"+id+"/journeys/nearby?mode=route&radius_m=500000", nil).wantCode(422, "route_too_complex")
}

func TestAnImportRunsOncePerIdempotencyKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	first := maria.call("POST", "/journeys/"+id+"/import", trackFile, "Idempotency-Key", "import-1").want(201)
	second := maria.call("POST", "/journeys/"+id+"/import", trackFile, "Idempotency-Key", "import-1").want(201)
	if second.header.Get("Idempotent-Replay") != "true" || string(first.body) != string(second.body) {
		t.Errorf("the repeat answered %s after %s", second.body, first.body)
	}
	if n := b.count(`SELECT count(*) FROM markers`); n != 2 {
		t.Errorf("%d markers, want 2", n)
	}
}

// The file of a form is found by its bytes. Its name, its file name and its type do not count.
func TestTheFileOfAFormIsFoundByItsBytes(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	const gpx = `<gpx version="1.1"><wpt lat="-8.5" lon="125.5"><name>Dili</name></wpt></gpx>`
	for _, c := range []struct {
		header, content string
		status          int
	}{
		{"form-data; name=\"file\"", gpx, 201},
		{"form-data; name=\"file\"; filename=\"our \"trip\".gpx\"", gpx, 201},
		{"form-data; name=\"x\"; filename=trip_17:30.gpx", "\xef\xbb\xbf" + gpx, 201},
		{"form-data; name=\"track\"\r\nContent-Type: application/octet-stream", "\r\n" + gpx, 201},
		{"form-data; name=\"file\"; filename=\"a.kmz\"", "PK", 415},
		{"form-data; name=\"x\"", "no file", 422},
	} {
		body := "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nOur trip\r\n--b\r\nContent-Disposition: " + c.header +
			"\r\n\r\n" + c.content + "\r\n--b--\r\n"
		maria.call("POST", "/journeys/"+maria.journey(nil)+"/import", body, "Content-Type", "multipart/form-data; boundary=b").want(c.status)
	}
}
