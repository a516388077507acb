package ogc_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// featureTests are those of single features.
func featureTests() []abstractTest {
	return []abstractTest{
		{"/conf/core/f-op", func(t *testing.T, s *subject) {
			for _, path := range s.features() {
				s.nobody.Get("//ogc" + path).Want(http.StatusOK)
			}
			first := s.reports[0]
			for _, missing := range []string{"reports/items/01932f6a-1e5b-7c07-9d5e-3f1f6a5b8c21", "reports/items/1", "reports/items/" + strings.ToUpper(first), "reports/items/urn:uuid:" + first,
				"municipalities/items/" + first, "municipalities/items/TL-XX", "municipalities/items/tl-di", "posts/items/TL-DI", "roads/items/" + first} {
				s.nobody.Get("//ogc/collections/"+missing).WantProblem(http.StatusNotFound, "not_found")
			}
		}},
		{"/conf/core/f-success", func(t *testing.T, s *subject) {
			for _, path := range s.features() {
				fits(t, "feature", s.nobody.Get("//ogc"+path).Want(http.StatusOK).Body)
			}
		}},
		{"/conf/core/f-links", func(t *testing.T, s *subject) {
			for _, path := range s.features() {
				f := s.get(path)
				wantLinks(t, s, f, path, "application/geo+json")
				collection, _, _ := strings.Cut(path, "/items/")
				if got := linkOf(f, "collection", "application/json"); got != s.URL+"/ogc"+collection {
					t.Errorf("%s belongs to %s", path, got)
				}
			}
		}},
	}
}

// features are the paths of all features.
func (s *subject) features() []string {
	var out []string
	for _, c := range s.collections() {
		for _, id := range ids(s.get("/collections/" + c + "/items")) {
			out = append(out, "/collections/"+c+"/items/"+id)
		}
	}
	return out
}

// A feature has the same values alone and on a page. The boundary of an area is simplified on a page and exact alone.
func TestFeaturesAloneAndOnAPage(t *testing.T) {
	t.Parallel()
	s := withData(t)
	for _, c := range s.collections() {
		for _, f := range s.get("/collections/" + c + "/items").Items("features") {
			alone := s.get("/collections/" + c + "/items/" + f.Text("id"))
			if !sameJSON(alone.At("properties"), f.At("properties")) {
				t.Errorf("%s: %v alone, %v on a page", c, alone.At("properties"), f.At("properties"))
			}
			if f.Text("geometry.type") == "Point" {
				if !sameJSON(alone.At("geometry"), f.At("geometry")) {
					t.Errorf("%s: %v alone, %v on a page", c, alone.At("geometry"), f.At("geometry"))
				}
				continue
			}
			if exact, simple := len(points(alone.At("geometry.coordinates"))), len(points(f.At("geometry.coordinates"))); exact != 104 || simple >= exact/2 {
				t.Errorf("%s has %d points alone and %d on a page", f.Text("properties.name"), exact, simple)
			}
		}
	}
	dili := s.get("/collections/municipalities/items/TL-DI")
	if got := []string{dili.Text("properties.name"), dili.Text("properties.name_pt"), dili.Text("properties.code"), dili.Text("geometry.type")}; !slices.Equal(got, []string{"Dili", "Díli", "TL-DI", "MultiPolygon"}) {
		t.Errorf("Dili is %v", got)
	}
	if got := s.get("/collections/municipalities/items/TL-BA").Text("geometry.type"); got != "Point" {
		t.Errorf("a municipality without a boundary is a %s", got)
	}
}

// A boundary that would not fit into an answer is answered as its outline.
func TestBoundaryOfManyPoints(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.Exec(`INSERT INTO boundaries (id, level, name, area) VALUES ('01932f6a-1e5b-7c07-9d5e-3f1f6a5b8c21', 'suco', 'Round', ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(125.5, -8.5), 4326), 0.2, 30000)))`)
	got := s.nobody.Get("//ogc/collections/sucos/items/01932f6a-1e5b-7c07-9d5e-3f1f6a5b8c21").Want(http.StatusOK)
	if n := len(points(got.Object().At("geometry.coordinates"))); n < 20 || n > 1000 {
		t.Errorf("a circle of 120,000 points has %d", n)
	}
}

// Posts and sucos are there when their boundaries were imported; municipalities always are.
func TestCollectionsWithoutBoundaries(t *testing.T) {
	t.Parallel()
	s := setup(t)
	if got := s.collections(); !slices.Equal(got, []string{"reports", "municipalities"}) {
		t.Errorf("collections %v", got)
	}
	for _, path := range []string{"", "/items", "/items/01932f6a-1e5b-7c07-9d5e-3f1f6a5b8c21"} {
		s.nobody.Get("//ogc/collections/sucos"+path).WantProblem(http.StatusNotFound, "not_found")
	}
	doc := s.get("/api")
	for path := range doc.Values["paths"].(map[string]any) {
		if strings.Contains(path, "sucos") || strings.Contains(path, "posts") {
			t.Errorf("the document has %s", path)
		}
	}
	for _, c := range s.get("/collections").Items("collections") { // also without any report
		if c.Text("id") == "reports" && (c.At("extent.spatial") != nil || !sameJSON(c.At("extent.temporal.interval"), []any{[]any{nil, nil}})) {
			t.Errorf("without reports the extent is %v", c.At("extent"))
		}
	}
	fits(t, "collections", s.nobody.Get("//ogc/collections").Body)
	if page := s.get("/collections/reports/items"); len(page.Items("features")) != 0 || page.Number("numberMatched") != 0 || linkOf(page, "next", "") != "" {
		t.Errorf("without reports: %v", page.Values)
	}
	if n := len(ids(s.get("/collections/municipalities/items"))); n != 14 {
		t.Errorf("%d municipalities", n)
	}
}
