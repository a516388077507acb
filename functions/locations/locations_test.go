package locations_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/locations"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/nominatim"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// setup serves the group with a geocoder that can be made to fail.
func setup(t *testing.T) (*testenv.System, *nominatim.Server, *faults.Set) {
	t.Helper()
	broken := faults.NewSet()
	geocoder, err := nominatim.Start(nominatim.Options{Interval: -1, Faults: broken})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = geocoder.Close() })
	w := testenv.New(t)
	w.Env["NOMINATIM_URL"] = geocoder.URL()
	w.Serve(locations.Open)
	return w, geocoder, broken
}

func TestMunicipalities(t *testing.T) {
	t.Parallel()
	w, _, _ := setup(t)
	someone := w.Citizen()
	w.Exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude, municipality_code, status)
		SELECT gen_random_uuid(), 'LS-2026-' || n, $1, '', 'pothole', -8.55, 125.56, 'TL-DI', 'pending' FROM generate_series(1, 3) n`, someone.ID)
	answer := someone.Get("/locations/municipalities").Want(http.StatusOK)
	all := answer.List()
	if len(all) != 14 {
		t.Fatalf("%d municipalities", len(all))
	}
	seen := map[string]bool{}
	for _, m := range all {
		code, bbox := m.Text("code"), m.Values["bbox"].([]any)
		seen[code] = true
		if m.Text("id") != code || m.Text("name") == "" || m.Text("name_tet") == "" || m.Text("name_pt") == "" || len(bbox) != 4 {
			t.Errorf("got %v", m.Values)
			continue
		}
		lon, lat := m.Number("longitude"), m.Number("latitude")
		if lon < bbox[0].(float64) || lat < bbox[1].(float64) || lon > bbox[2].(float64) || lat > bbox[3].(float64) {
			t.Errorf("%s: centre %v,%v is outside %v", code, lon, lat, bbox)
		}
		want := 0.0
		if code == "TL-DI" {
			want = 3
		}
		if m.Number("report_count") != want {
			t.Errorf("%s has %v reports, want %v", code, m.Number("report_count"), want)
		}
	}
	if len(seen) != 14 || !seen["TL-AT"] {
		t.Errorf("codes %v", seen)
	}
	if again := someone.With("If-None-Match", answer.Header.Get("ETag")).Get("/locations/municipalities"); again.Status != http.StatusNotModified {
		t.Errorf("a second look is a %d", again.Status)
	}
}

func TestReverseGeocode(t *testing.T) {
	t.Parallel()
	w, geocoder, _ := setup(t)
	someone := w.Citizen()
	for n, query := range []string{"latitude=-8.5569&longitude=125.5603", "lat=-8.5569&lon=125.5603", "lat=-8.5569&lng=125.5603"} {
		got := someone.Get("/locations/reverse-geocode?" + query).Want(http.StatusOK).Object()
		if got.Number("latitude") != -8.5569 || got.Number("longitude") != 125.5603 || got.Text("municipality") != "Dili" || got.Text("source") == "none" {
			t.Errorf("%s: %v", query, got.Values)
		}
		if got.At("cached") != (n > 0) {
			t.Errorf("look %d: cached is %v", n+1, got.At("cached"))
		}
	}
	if n := geocoder.Requests(); n != 1 {
		t.Errorf("the geocoder was asked %d times for one place", n)
	}
	for _, bad := range []string{"", "lat=-8.5", "lat=91&lon=0", "lat=0&lon=181", "lat=NaN&lon=0", "lat=Inf&lon=0", "lat=x&lon=0"} {
		if code := someone.Get("/locations/reverse-geocode?" + bad).Want(http.StatusUnprocessableEntity).Code(); code != "invalid_input" {
			t.Errorf("%s: %s", bad, code)
		}
	}
	w.Anonymous().Get("/locations/reverse-geocode?lat=-8.5&lon=125.5").Want(http.StatusUnauthorized)
}

func TestAPlaceWithoutAnAddressIsNoError(t *testing.T) {
	t.Parallel()
	w, _, broken := setup(t)
	someone := w.Citizen()
	nothing := func(query string) {
		t.Helper()
		got := someone.Get("/locations/reverse-geocode?" + query).Want(http.StatusOK).Object()
		if got.Text("source") != "none" || got.Values["municipality"] != nil || got.Values["display_name"] != nil {
			t.Errorf("%s: %v", query, got.Values)
		}
		if _, there := got.Values["street"]; !there {
			t.Errorf("%s: a part nobody knows is left out: %v", query, got.Values)
		}
	}
	nothing("lat=0&lon=0")
	nothing("lat=90&lon=-180")
	if err := broken.Add(faults.Fault{Service: "nominatim", Mode: faults.Error, Count: 10}); err != nil {
		t.Fatal(err)
	}
	nothing("lat=-8.9&lon=126.1")
}

func TestSearch(t *testing.T) {
	t.Parallel()
	w, _, broken := setup(t)
	someone := w.Citizen()
	for _, spelling := range []string{"Baucau", "baukau", " BAUCAU ", "Bau\u0301cau", "Bau\u02bccau", "ＢＡＵＣＡＵ"} {
		list := someone.Get("/locations/search?q=" + url.QueryEscape(spelling)).Want(http.StatusOK).List()
		if len(list) == 0 || list[0].Text("municipality") != "Baucau" || list[0].Number("latitude") >= 0 || list[0].Text("display_name") == "" || list[0].Text("type") == "" {
			t.Errorf("%q: %v", spelling, list)
		}
	}
	if raw := someone.Get("/locations/search?q=qqqqzzzz").Want(http.StatusOK).Body; strings.TrimSpace(string(raw)) != "[]" {
		t.Errorf("nothing found is %s", raw)
	}
	if list := someone.Get("/locations/search?q=a&limit=2").Want(http.StatusOK).List(); len(list) > 2 {
		t.Errorf("%d places for a limit of 2", len(list))
	}
	for _, bad := range []string{"", "q=", "q=%20", "q=x&limit=11", "q=x&limit=0", "q=" + strings.Repeat("x", 101)} {
		someone.Get("/locations/search?" + bad).Want(http.StatusUnprocessableEntity)
	}
	if err := broken.Add(faults.Fault{Service: "nominatim", Mode: faults.Error, Count: 10}); err != nil {
		t.Fatal(err)
	}
	if list := someone.Get("/locations/search?q=Viqueque").Want(http.StatusOK).List(); len(list) == 0 {
		t.Error("without the geocoder our own places are not found")
	}
}
