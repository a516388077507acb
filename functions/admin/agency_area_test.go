package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// ring is a square around a place, in degrees.
func ring(longitude, latitude, half float64) []any {
	x := []any{}
	for _, d := range [][2]float64{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}, {-1, -1}} {
		x = append(x, []any{longitude + d[0]*half, latitude + d[1]*half})
	}
	return x
}

func polygon(rings ...any) fields { return fields{"type": "Polygon", "coordinates": rings} }

// An area is kept as a MultiPolygon, shown, changed and cleared; the log has its size and not its points.
func TestTheAreaOfAnAgency(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	boss := b.WithToken(b.admin.Token)
	made := boss.Do(http.MethodPost, "/admin/agencies", fields{"code": "PORT", "name": "Port", "agency_type": "national", "area": polygon(ring(125.57, -8.55, .01))}).Want(201).Object()
	path := "/admin/agencies/" + made.Text("id")
	if made.Text("area.type") != "MultiPolygon" || fmt.Sprint(made.At("area_points")) != "5" {
		t.Errorf("got %v", made.Values)
	}
	if got := boss.Do(http.MethodGet, path, nil).Want(200); !strings.Contains(string(got.Body), `[125.56,-8.56]`) {
		t.Errorf("read: %s", got.Body)
	}
	if got := boss.Do(http.MethodGet, "/admin/agencies", nil).Want(200).Object().Items("items")[0]; got.Text("area.type") != "MultiPolygon" {
		t.Errorf("listed: %v", got.Values)
	}
	count := func() int {
		return len(boss.Do(http.MethodGet, "/admin/audit?entity=agency", nil).Want(200).Object().Items("items"))
	}
	entries := count()
	same := boss.Do(http.MethodPatch, path, fields{"area": polygon(ring(125.57, -8.55, .01))}).Want(200).Object()
	if same.Text("updated_at") != made.Text("updated_at") || count() != entries {
		t.Error("the same area is a change")
	}
	boss.Do(http.MethodPatch, path, fields{"name": "The port"}).Want(200)
	two := fields{"type": "MultiPolygon", "coordinates": []any{[]any{ring(125.57, -8.55, .01)}, []any{ring(126.2, -8.5, .02), ring(126.2, -8.5, .01)}}}
	if got := boss.Do(http.MethodPatch, path, fields{"area": two}).Want(200).Object(); fmt.Sprint(got.At("area_points")) != "15" {
		t.Errorf("two with a hole: %v", got.Values)
	}
	circle := []any{}
	for i := range 300 {
		circle = append(circle, []any{125.57 + float64(i)*1e-5, -8.55 + float64(i*i)*1e-9})
	}
	circle = append(circle, []any{125.6, -8.6}, circle[0])
	boss.Do(http.MethodPatch, path, fields{"area": polygon(circle)}).Want(200)
	listed := boss.Do(http.MethodGet, "/admin/agencies", nil).Want(200).Object().Items("items")[0]
	if listed.At("area") != nil || fmt.Sprint(listed.At("area_points")) != "302" || boss.Do(http.MethodGet, path, nil).Object().At("area") == nil {
		t.Errorf("a large area: %v", listed.At("area_points"))
	}
	audit := boss.Do(http.MethodGet, "/admin/audit?entity=agency", nil).Want(200)
	if strings.Contains(string(audit.Body), "coordinates") || !strings.Contains(string(audit.Body), `"area_points":302`) || len(audit.Body) > 10_000 {
		t.Errorf("the log: %s", audit.Body)
	}
	if got := boss.Do(http.MethodPatch, path, fields{"area": nil}).Want(200).Object(); got.At("area") != nil || fmt.Sprint(got.At("area_points")) != "0" {
		t.Errorf("cleared: %v", got.Values)
	}
	boss.Do(http.MethodGet, "/admin/agencies/"+b.admin.ID.String(), nil).WantProblem(404, "agency_not_found")
}

func TestWhatIsNoAreaOfAnAgency(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	boss := b.WithToken(b.admin.Token)
	square := ring(125.57, -8.55, .01)
	many := []any{}
	for i := range 10_000 {
		many = append(many, []any{125.5 + float64(i)*1e-13, -8.55 + float64(i)*1e-13})
	}
	for name, c := range map[string]struct {
		area any
		says string
	}{
		"a text":                    {"Dili", "Polygon or MultiPolygon"},
		"a point":                   {fields{"type": "Point", "coordinates": []any{125.5, -8.5}}, "Polygon or MultiPolygon"},
		"no coordinates":            {fields{"type": "Polygon"}, "Polygon or MultiPolygon"},
		"nothing in it":             {fields{"type": "MultiPolygon", "coordinates": []any{}}, "Polygon or MultiPolygon"},
		"no ring":                   {fields{"type": "MultiPolygon", "coordinates": []any{[]any{}}}, "a ring in each polygon"},
		"too few":                   {polygon(square[:3]), "end where they begin"},
		"an open ring":              {polygon(square[:4]), "end where they begin"},
		"latitude first":            {polygon(ring(-8.55, 125.57, .01)), "the longitude first"},
		"latitude first, elsewhere": {polygon([]any{[]any{-8.5, 88}, []any{-8.5, 89}, []any{-8.4, 89}, []any{-8.5, 88}}), "outside the area"},
		"in another country":        {polygon(ring(130, -8.55, .01)), "outside the area"},
		"in Kupang":                 {polygon(ring(123.6, -10.17, .05)), "outside the municipalities"},
		"partly in the sea":         {polygon(ring(125.57, -8.55, 1)), "outside the municipalities"},
		"crossing itself":           {polygon([]any{[]any{125.5, -8.5}, []any{125.6, -8.6}, []any{125.6, -8.5}, []any{125.5, -8.6}, []any{125.5, -8.5}}), "cross itself"},
		"a line":                    {polygon([]any{[]any{125.5, -8.5}, []any{125.6, -8.6}, []any{125.5, -8.5}, []any{125.5, -8.5}}), "cross itself"},
		"too many points":           {polygon(many), "at most 5000 points"},
		"a word for a number":       {polygon([]any{[]any{"a", "b"}}), "Polygon or MultiPolygon"},
	} {
		a := boss.Do(http.MethodPost, "/admin/agencies", fields{"code": "XX", "name": "X", "agency_type": "national", "area": c.area})
		a.WantProblem(422, "invalid_input")
		if text := string(a.Body); !strings.Contains(text, c.says) || !strings.Contains(text, `"field":"area"`) {
			t.Errorf("%s: %s", name, text)
		}
	}
	// With imported boundaries it must lie in the municipalities of the agency.
	if _, err := b.db.Exec(t.Context(), `INSERT INTO boundaries (id, level, name, code, area) VALUES
		(gen_random_uuid(), 'municipality', 'Dili', 'TL-DI', ST_Multi(ST_MakeEnvelope(125.4, -8.7, 125.8, -8.4, 4326))),
		(gen_random_uuid(), 'municipality', 'Baucau', 'TL-BA', ST_Multi(ST_MakeEnvelope(126.1, -8.7, 126.8, -8.4, 4326)))`); err != nil {
		t.Fatal(err)
	}
	create := func(code, municipality string, area any) int {
		body := fields{"code": code, "name": "X", "agency_type": "national", "area": area}
		if municipality != "" {
			body["municipality_codes"] = []string{municipality}
		}
		return boss.Do(http.MethodPost, "/admin/agencies", body).Status
	}
	for i, c := range []struct {
		municipality string
		area         any
		want         int
	}{
		{"TL-DI", polygon(square), 201}, {"TL-BA", polygon(square), 422}, {"", polygon(square), 201}, {"", polygon(ring(127.9, -8.5, .01)), 422}, {"TL-DI", polygon(ring(125.8, -8.5, .1)), 422},
		{"TL-DI", polygon(ring(125.79, -8.5, .01)), 201}, {"TL-DI", polygon(ring(125.8, -8.5, .02)), 201},
	} {
		if got := create(fmt.Sprintf("AG%d", i), c.municipality, c.area); got != c.want {
			t.Errorf("%d: %d, want %d", i, got, c.want)
		}
	}
	moved := boss.Do(http.MethodPost, "/admin/agencies", fields{"code": "MOVED", "name": "X", "agency_type": "national", "area": polygon(square)}).Want(201).Object().Text("id")
	boss.Do(http.MethodPatch, "/admin/agencies/"+moved, fields{"municipality_codes": []string{"TL-BA"}}).WantProblem(422, "invalid_input")
	boss.Do(http.MethodPatch, "/admin/agencies/"+moved, fields{"municipality_codes": []string{"TL-BA"}, "area": nil}).Want(200)
}

func TestSettingsOfDeadlines(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	boss := b.WithToken(b.admin.Token)
	put := func(name string, value any) (int, fields) {
		s := boss.Do(http.MethodGet, "/admin/settings", nil).Want(200).Object().Values
		s[name] = value
		got := boss.Do(http.MethodPut, "/admin/settings", s)
		return got.Status, got.Object().Values
	}
	for name, bad := range map[string][]any{
		"deadlines":           {fields{"low": 0, "medium": 15, "high": 5, "critical": 2}, fields{"low": 366, "medium": 15, "high": 5, "critical": 2}, fields{"low": 1}, 7},
		"holidays":            {[]any{"2026-13-01"}, []any{"Eid"}, []any{"2026-03-20", "2026-03-20"}, []any{"0026-03-20"}, []any{"2101-01-01"}, "2026-03-20x"},
		"fixed_needs_picture": {[]any{"castle"}, []any{7}},
	} {
		for _, value := range bad {
			if status, got := put(name, value); status != 422 {
				t.Errorf("%s %v: %d %v", name, value, status, got)
			}
		}
	}
	if status, got := put("holidays", []any{"2026-03-20", "2026-05-27"}); status != 200 || fmt.Sprint(got["holidays"]) != "[2026-03-20 2026-05-27]" {
		t.Errorf("holidays: %d %v", status, got["holidays"])
	}
	for _, list := range []string{"holidays", "fixed_needs_picture"} {
		if status, got := put(list, nil); status != 200 || fmt.Sprint(got[list]) != "[]" {
			t.Errorf("%s null: %d %v, want an empty list", list, status, got[list])
		}
	}
	if status, got := put("fixed_needs_picture", []any{"Pothole", "street-light", "pothole"}); status != 200 || fmt.Sprint(got["fixed_needs_picture"]) != "[pothole street_light]" {
		t.Errorf("types: %d %v", status, got)
	}
	if status, got := put("deadlines", fields{"low": 20, "medium": 10, "high": 4, "critical": 1}); status != 200 || fmt.Sprint(got["deadlines"]) != "map[critical:1 high:4 low:20 medium:10]" {
		t.Errorf("deadlines: %d %v", status, got["deadlines"])
	}
}
