package public_test

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/paulmach/orb/encoding/mvt"

	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// places adds a post, a suco and localities around 8.55 S, 125.57 E.
func places(w *testenv.System) {
	w.Exec(`INSERT INTO boundaries (id, level, name, code, area) SELECT gen_random_uuid(), level, name, code, ST_Multi(ST_MakeEnvelope(125.5, -8.6, 125.64, -8.5, 4326))
		FROM (VALUES ('municipality', 'Dili', 'TL-DI'), ('district', 'Dom Aleixo', NULL), ('suco', 'Bairro Pité', NULL)) b (level, name, code)`)
	w.Exec(`INSERT INTO place_names (id, name, municipality_code, place) SELECT gen_random_uuid(), name, 'TL-DI', ST_SetSRID(ST_MakePoint(125.57, -8.55), 4326)
		FROM unnest('{Ai-Mutin,Manu Mata''an,Dili Tasi}'::text[]) name`)
}

func TestPlacesAreFoundWithoutSigningIn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	places(w)
	for q, want := range map[string]string{
		"baukau": "Baucau municipality", "dom aleicho": "Dom Aleixo district", "bairro pite": "Bairro Pité suco", "AIMUTIN": "Ai-Mutin, Dili locality",
		"mata’an": "Manu Mata'an, Dili locality", "dili": "Dili municipality",
	} {
		got := w.Anonymous().Get("/public/places?q=" + url.QueryEscape(q)).Want(http.StatusOK)
		found := got.List()
		if len(found) == 0 || fmt.Sprint(found[0].Text("display_name"), " ", found[0].Text("type")) != want || found[0].Number("longitude") < 125 {
			t.Errorf("%s: %s", q, got.Body)
		}
		if cached := got.Header.Get("Cache-Control"); cached != "public, max-age=300" {
			t.Error(cached)
		}
	}
	if found := w.Anonymous().Get("/public/places?q=dili&limit=1").List(); len(found) != 1 {
		t.Errorf("%d places with limit 1", len(found))
	}
	for _, none := range []string{"zzzzzz", "%25"} {
		if found := w.Anonymous().Get("/public/places?q=" + none).Want(http.StatusOK).List(); len(found) != 0 {
			t.Errorf("%s finds %v", none, found[0].Values)
		}
	}
	for _, bad := range []string{"", "?q=", "?q=a&limit=11"} {
		w.Anonymous().Get("/public/places" + bad).Want(http.StatusUnprocessableEntity)
	}
}

// tile returns the layers of the tile that has a place.
func tile(t *testing.T, w *testenv.System, zoom int, latitude, longitude float64) map[string]*mvt.Layer {
	t.Helper()
	side := math.Exp2(float64(zoom))
	y := (1 - math.Asinh(math.Tan(latitude*math.Pi/180))/math.Pi) / 2
	got := w.Anonymous().Get(fmt.Sprintf("/public/tiles/%d/%d/%d.mvt", zoom, int((longitude+180)/360*side), int(y*side))).Want(http.StatusOK)
	decoded, err := mvt.Unmarshal(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*mvt.Layer{}
	for _, l := range decoded {
		out[l.Name] = l
	}
	return out
}

// Tiles and sketches name the places of their zoom. A report that is alone is a report at every zoom.
func TestTilesHaveNamesAndSingleReports(t *testing.T) {
	t.Parallel()
	w := setup(t)
	places(w)
	c := w.Citizen()
	_, alone := file(w, c, object{"latitude": -8.55, "longitude": 125.57})
	for range 2 {
		file(w, c, object{"latitude": -9.3, "longitude": 124.4})
	}
	for zoom, want := range map[int][]string{6: {"Dili"}, 10: {"Dili", "Dom Aleixo"}, 14: {"Dom Aleixo", "Bairro Pité", "Ai-Mutin"}} {
		layers := tile(t, w, zoom, -8.55, 125.57)
		if layers["reports"] == nil || layers["names"] == nil {
			t.Fatalf("zoom %d: %v", zoom, layers)
		}
		names, single := map[any]bool{}, false
		for _, f := range layers["names"].Features {
			names[f.Properties["name"]] = true
		}
		for _, f := range layers["reports"].Features {
			single = single || f.Properties["report_number"] == alone && f.Properties["status"] == "pending" && f.Properties["point_count"] == nil
		}
		for _, name := range want {
			if !names[name] {
				t.Errorf("zoom %d: no %s in %v", zoom, name, names)
			}
		}
		if !single || zoom < 12 && names["Ai-Mutin"] {
			t.Errorf("zoom %d: alone %v, names %v", zoom, single, names)
		}
	}
	for zoom, want := range map[int]bool{12: false, 14: true} {
		got := w.Anonymous().Get(fmt.Sprintf("/public/sketch.svg?latitude=-8.555&longitude=125.575&zoom=%d", zoom)).Want(http.StatusOK)
		if strings.Contains(string(got.Body), ">Ai-Mutin<") != want {
			t.Errorf("the sketch at zoom %d: %s", zoom, got.Body)
		}
	}
	if got := tile(t, w, 6, -9.3, 124.4)["names"].Features[0].Properties; got["level"] != "municipality" || got["rank"] == nil {
		t.Errorf("%v", got)
	}
}
