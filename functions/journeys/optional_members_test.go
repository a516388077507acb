package journeys_test

import (
	"strings"
	"testing"
)

// warned lists the warnings of an answer as "field code, field code".
func warned(answer object) string {
	list, _ := answer["warnings"].([]any)
	var out []string
	for _, w := range list {
		note := w.(object)
		out = append(out, note["field"].(string)+" "+note["code"].(string))
	}
	return strings.Join(out, ", ")
}

func TestOptionalMembersNeverCostTheJourney(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	for _, c := range []struct {
		sent   object
		member string
		want   any
		warned string
	}{
		{object{"visibility": "secret"}, "visibility", "private", "visibility counts_closed"},
		{object{"visibility": []int{1}}, "visibility", "private", "visibility counts_closed"},
		{object{"visibility": "Private"}, "visibility", "private", ""},
		{object{"visibility": nil}, "visibility", "public", ""},
		{object{"plan_precision_m": "far"}, "plan_precision_m", 50000.0, "plan_precision_m counts_closed"},
		{object{"plan_precision_m": 90000}, "plan_precision_m", 50000.0, "plan_precision_m counts_closed"},
		{object{"plan_precision_m": "500"}, "plan_precision_m", 500.0, ""},
		{object{"description": strings.Repeat("é", 2001)}, "description", strings.Repeat("é", 2000), "description cut"},
		{object{"description": object{}}, "description", "", "description unreadable"},
		{object{"name": strings.Repeat("é", 201)}, "name", strings.Repeat("é", 200), "name cut"},
		{object{"name": 2026}, "name", "2026", ""},
		{object{"active": 1}, "active", true, ""},
		{object{"active": "maybe"}, "active", false, "active unreadable"},
		{object{"user_id": "me"}, "visibility", "public", "user_id unreadable"},
		{object{"completed": true, "is_anonymous": true}, "completed", false, ""}, // the journey client's routes warn of no other member
	} {
		body := object{"name": "Tour"}
		for name, value := range c.sent {
			body[name] = value
		}
		for _, path := range []string{"/journeys/", "/journeys"} {
			if got := maria.call("POST", path, body).want(201).object(); got[c.member] != c.want || warned(got) != c.warned {
				t.Errorf("%.100v: %s is %.100v, warned of %q", c.sent, c.member, got[c.member], warned(got))
			}
		}
	}
	for _, bad := range []object{{}, {"name": ""}, {"name": []int{}}, {"name": nil}} {
		maria.call("POST", "/journeys/", bad).want(422)
	}
	id := maria.journey(nil)
	got := maria.call("PATCH", "/journeys/"+id, object{"name": "", "visibility": "?", "completed": "soon", "plan_precision_m": 10}).want(200).object()
	if warned(got) != "completed unreadable, name unreadable, visibility counts_closed" || got["visibility"] != "private" || got["completed"] != false || got["plan_precision_m"] != 10.0 {
		t.Errorf("a change: warned of %q: %v", warned(got), got)
	}
	if got := maria.call("GET", "/journeys/"+id, nil).want(200).object(); got["warnings"] != nil {
		t.Errorf("a reader is warned: %v", got)
	}
}

func TestOptionalMembersNeverCostTheMarker(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(nil)
	at := object{"type": "Point", "coordinates": []float64{125.5, -8.5}}
	for _, c := range []struct {
		sent   object
		member string
		want   any
		warned string
	}{
		{object{"timestamp": "yesterday"}, "timestamp", nil, "timestamp unreadable"},
		{object{"timestamp": []int{}}, "timestamp", nil, "timestamp unreadable"},
		{object{"timestamp": "2026:11:20 08:00:00"}, "timestamp", "2026-11-20", ""},
		{object{"timestamp": "2026-11-20T08:00+0900"}, "timestamp", "2026-11-20", ""},
		{object{"timestamp": "0001-01-01"}, "timestamp", nil, "timestamp out_of_range"},
		{object{"timestamp": " "}, "timestamp", nil, ""},
		{object{"estimated_time": "2026-11-20"}, "estimated_time", nil, "estimated_time not_taken"},
		{object{"notes": 17}, "notes", "17", ""},
		{object{"notes": object{}}, "notes", "", "notes unreadable"},
		{object{"notes": strings.Repeat("é", 5001)}, "notes", strings.Repeat("é", 5000), "notes cut"},
		{object{"name": strings.Repeat("é", 201)}, "name", strings.Repeat("é", 200), "name cut"},
		{object{"journey_id": 5, "owner_id": 5}, "name", "Stop", "journey_id unreadable"},
	} {
		body := object{"name": "Stop", "marker_type": "past", "coordinates": at}
		for name, value := range c.sent {
			body[name] = value
		}
		added := maria.call("POST", "/journeys/"+id+"/markers", body).want(201).object()
		replaced := maria.call("PUT", "/journeys/"+id+"/markers/"+added["_id"].(string), body).want(200).object()
		for _, got := range []object{added, replaced} {
			if got[c.member] != c.want || warned(got) != c.warned {
				t.Errorf("%.100v: %s is %.100v, warned of %q", c.sent, c.member, got[c.member], warned(got))
			}
		}
	}
	for name, value := range map[string]any{"marker_type": "future", "coordinates": object{"type": "Point", "coordinates": []float64{125.5, 91}}, "name": ""} {
		body := object{"name": "Stop", "marker_type": "past", "coordinates": at}
		body[name] = value
		maria.call("POST", "/journeys/"+id+"/markers", body).want(422)
		delete(body, name)
		maria.call("POST", "/journeys/"+id+"/markers", body).want(422)
	}
}

// A value that is not used, or cannot be read, does not cost the file. A point without a place is left out.
func TestOptionalValuesNeverCostTheFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	point := func(inside string) string { return `<gpx><wpt lat="-8.5" lon="125.5">` + inside + `</wpt></gpx>` }
	feature := func(geometry, properties string) string {
		return `{"type":"FeatureCollection","features":[{"type":"Feature","properties":` + properties + `,"geometry":` + geometry + `},` +
			`{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[125.5,-8.5]}}]}`
	}
	for file, want := range map[string]string{
		point("<ele>\n</ele>"): "", point("<ele>12,5</ele><sat>7.0</sat>"): "", point("<ele>1e999</ele><sat>unknown</sat>"): "", point("<hdop>--</hdop><speed>null</speed>"): "",
		point("<magvar>-0,3</magvar><sat>9,0</sat>"): "", point("<time>yesterday</time>"): "line 1 unreadable", point("<time> 2026-11-20T08:00:00+0900 </time>"): "",
		point("<time>2026-11-20 08:00:00</time>"): "", point("<time></time>"): "", point("<time>null</time>"): "line 1 unreadable", point("<time>0001-01-01T00:00:00Z</time>"): "line 1 out_of_range",
		point("<name>" + strings.Repeat("é", 201) + "</name>"):                                                   "line 1 cut",
		"<gpx>\n<wpt lat=\"\" lon=\"\"/>\n<wpt lat=\"-8.5\" lon=\"125.5\"/></gpx>":                               "line 2 point_dropped",
		"<gpx>\n<wpt/>\n<wpt lat=\"-8.5\" lon=\"125.5\"/></gpx>":                                                 "line 2 point_dropped",
		"<gpx>\n<trkpt lat=\"1\"/><wpt lat=\"-8.5\" lon=\"125.5\"/></gpx>":                                       "line 2 point_dropped",
		"<gpx>\n<wpt lat=\"north\" lon=\"1\"/><wpt lat=\"-8,5\" lon=\"125.5\"/></gpx>":                           "line 2 point_dropped",
		"<gpx><wpt lat=\"-8.5\" lon=\"125.5\"/>\n<wpt lat=\"0\" lon=\"0.0\"/></gpx>":                             "line 2 point_dropped",
		`<?xml version="1.0" encoding="UTF-16"?>` + point(""):                                                    "",
		"\xff\xfe" + strings.ReplaceAll(`<?xml version="1.0" encoding="UTF-16"?>`+point("")+" ", "", "\x00")[1:]: "",
		feature("null", "null"):                               "features[0].geometry point_dropped",
		feature(`{"type":"Point","coordinates":[0,0]}`, `{}`): "features[0].geometry.coordinates point_dropped",
		`{"type":"Feature","geometry":{"type":"Point","coordinates":[125.5,-8.5]},"properties":{"timestamp":"soon"}}`:                                 "properties.timestamp unreadable",
		`{"type":"Feature","geometry":{"type":"Point","coordinates":[125.5,-8.5]},"properties":{"marker_type":"past","estimated_time":"2026-01-01"}}`: "properties.estimated_time not_taken",
	} {
		id := maria.journey(nil)
		got := maria.call("POST", "/journeys/"+id+"/import", file, "Content-Type", "application/octet-stream").want(201).object()
		if warned(got) != want || got["markers"] != 1.0 {
			t.Errorf("%.120s: %v imported, warned of %q, want %q", file, got["markers"], warned(got), want)
		}
		if n := b.count(`SELECT count(*) FROM markers WHERE lon <> 125.5`); n != 0 {
			t.Errorf("%.120s: %d markers are elsewhere", file, n)
		}
	}
	id := maria.journey(nil)
	maria.call("POST", "/journeys/"+id+"/import", `<gpx><wpt lat="" lon=""/></gpx>`).wantCode(422, "import_empty")
	many := maria.call("POST", "/journeys/"+id+"/import", "<gpx>"+strings.Repeat("<wpt lat=\"\" lon=\"\"/>\n", 500)+`<wpt lat="-8.5" lon="125.5"/></gpx>`).want(201).object()
	if n := len(many["warnings"].([]any)); n != 50 {
		t.Errorf("%d warnings, want 50", n)
	}
}
