package ogc_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// itemsTests are those of pages of features.
func itemsTests() []abstractTest {
	return []abstractTest{
		{"/conf/core/fc-op", func(t *testing.T, s *subject) {
			for _, c := range s.collections() {
				s.nobody.Get("//ogc/collections/" + c + "/items").Want(http.StatusOK)
			}
			s.nobody.Get("//ogc/collections/roads/items").WantProblem(http.StatusNotFound, "not_found")
		}},
		{"/conf/core/fc-bbox-definition", func(t *testing.T, s *subject) {
			s.wantParameter(t, "bbox", "array", map[string]any{"minItems": 4.0, "maxItems": 6.0, "items": map[string]any{"type": "number"},
				"oneOf": []any{map[string]any{"minItems": 4.0, "maxItems": 4.0}, map[string]any{"minItems": 6.0, "maxItems": 6.0}}})
		}},
		{"/conf/core/fc-bbox-response", bboxResponse},
		{"/conf/core/fc-limit-definition", func(t *testing.T, s *subject) {
			s.wantParameter(t, "limit", "integer", map[string]any{"minimum": 1.0, "maximum": 1000.0, "default": 100.0})
		}},
		{"/conf/core/fc-limit-response", func(t *testing.T, s *subject) {
			for limit, want := range map[string]int{"1": 1, "3": 3, "003": 3, "7": 7, "8": 7, "1000": 7, "1001": 7, "99999999999999999999999": 7} {
				if n := len(ids(s.get("/collections/reports/items?limit=" + limit))); n != want {
					t.Errorf("limit=%s answers with %d features", limit, n)
				}
			}
		}},
		{"/conf/core/fc-time-definition", func(t *testing.T, s *subject) {
			s.wantParameter(t, "datetime", "string", nil)
		}},
		{"/conf/core/fc-time-response", timeResponse},
		{"/conf/core/query-param-invalid", func(t *testing.T, s *subject) {
			for _, query := range []string{"limit=unlimited", "limit=0", "limit=-1", "limit=1.5", "f=xml", "bbox=1,2,3", "bbox=1,2,3,4,5", "bbox=1,2,3,4,5,6,7", "bbox=a,b,c,d", "bbox=NaN,0,1,1", "bbox=0,0,Inf,1",
				"bbox=181,0,182,1", "bbox=0,-91,1,0", "bbox=0,2,1,1", "bbox=0,0,9,1,1,1", "bbox=0,0,x,1,1,1", "bbox=0,0,NaN,1,1,1", "bbox-crs=http://www.opengis.net/def/crs/EPSG/0/3857",
				"datetime=yesterday", "datetime=2026-11-01", "datetime=2026-11-01T00:00:00", "datetime=2026-11-31T00:00:00Z", "datetime=2026-11-02T00:00:00Z/2026-11-01T00:00:00Z",
				"datetime=../..", "datetime=/", "datetime=..", "datetime=2026-11-01T00:00:00Z/2026-11-02T00:00:00Z/2026-11-03T00:00:00Z", "datetime=2026-11-01T00:00:00Z/P1D",
				"status=broken", "status=,", "issue_type=dragon", "severity=worst", "municipality=Atlantis", "source=radio", "source=,", "cursor=nonsense", "status=%FF"} {
				got := s.nobody.Get("//ogc/collections/reports/items?"+query).WantProblem(http.StatusBadRequest, "invalid_input").Object()
				name, _, _ := strings.Cut(query, "=")
				if errors := got.Items("errors"); len(errors) != 1 || errors[0].Text("field") != name {
					t.Errorf("%s: the error names %v", query, got.At("errors"))
				}
			}
		}},
		{"/conf/core/query-param-unknown", func(t *testing.T, s *subject) {
			for _, r := range s.resources() {
				s.nobody.Get("//ogc"+r.path+"?unknownQueryParameter10000=1").WantProblem(http.StatusBadRequest, "unknown_parameter")
			}
			// A filter of another collection is unknown too.
			s.nobody.Get("//ogc/collections/municipalities/items?status=fixed").WantProblem(http.StatusBadRequest, "unknown_parameter")
			s.nobody.Get("//ogc/collections/reports/items?parent=Dili").WantProblem(http.StatusBadRequest, "unknown_parameter")
		}},
		{"/conf/core/fc-response", func(t *testing.T, s *subject) {
			for _, c := range s.collections() {
				fits(t, "featureCollection", s.nobody.Get("//ogc/collections/"+c+"/items").Want(http.StatusOK).Body)
			}
			for query, want := range map[string]int{
				"reports/items?status=verified": 6, "reports/items?status=pending": 1, "reports/items?status=pending,verified": 7, "reports/items?status=fixed": 0,
				"reports/items?issue_type=pothole": 7, "reports/items?issue_type=bridge": 0, "reports/items?severity=low,medium,high,critical": 6, "reports/items?source=app": 7, "reports/items?source=web,open311": 0,
				"municipalities/items?name=d%C3%ADli": 1, "municipalities/items?code=TL-BA": 1, "municipalities/items?name=Baukau&code=TL-BA": 1, "municipalities/items?name=Atlantis": 0,
				"posts/items?parent=DILI": 2, "sucos/items?name=comoro": 1, "sucos/items?code=suco-1": 1, "sucos/items?parent=Baucau": 0,
			} {
				if n := len(ids(s.get("/collections/" + query))); n != want {
					t.Errorf("%s: %d features, not %d", query, n, want)
				}
			}
		}},
		{"/conf/core/fc-links", func(t *testing.T, s *subject) {
			for _, query := range []string{"", "?limit=2", "?f=json", "?bbox=125%2C-9%2C126%2C-8&f=json&limit=1"} {
				wantLinks(t, s, s.get("/collections/reports/items"+query), "/collections/reports/items"+query, "application/geo+json")
			}
		}},
		{"/req/core/fc-rel-type", func(t *testing.T, s *subject) {
			for _, l := range s.get("/collections/reports/items?limit=1").Items("links") {
				if l.Text("rel") == "" || l.Text("type") == "" {
					t.Errorf("the link %v", l.Values)
				}
			}
		}},
		{"/conf/core/fc-timeStamp", func(t *testing.T, s *subject) {
			before := time.Now().Truncate(time.Millisecond)
			at := instant(t, s.get("/collections/reports/items").Text("timeStamp"))
			if at.Before(before) || at.After(time.Now()) {
				t.Errorf("made at %v, asked for after %v", at, before)
			}
		}},
		{"/conf/core/fc-numberMatched", func(t *testing.T, s *subject) {
			for _, query := range []string{"reports/items?limit=2", "reports/items?limit=2&status=verified", "municipalities/items?limit=5", "sucos/items?limit=1&bbox=125.6,-8.6,125.7,-8.5"} {
				first := s.get("/collections/" + query)
				if got, want := int(first.Number("numberMatched")), len(s.pages(t, first)); got != want {
					t.Errorf("%s: %d match, and the pages have %d", query, got, want)
				}
			}
		}},
		{"/conf/core/fc-numberReturned", func(t *testing.T, s *subject) {
			for _, query := range []string{"?limit=3", "", "?status=fixed"} {
				page := s.get("/collections/reports/items" + query)
				if int(page.Number("numberReturned")) != len(page.Items("features")) {
					t.Errorf("%s: %v of %d features", query, page.At("numberReturned"), len(page.Items("features")))
				}
			}
		}},
	}
}

func bboxResponse(t *testing.T, s *subject) {
	all := s.reports
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"bbox=125.5,-8.575,125.6,-8.555", all[4:6]}, {"bbox=125.5,-8.575,-100,125.6,-8.555,100", all[4:6]},
		{"bbox=125.5,-8.575,125.6,-8.555&bbox-crs=http://www.opengis.net/def/crs/OGC/1.3/CRS84", all[4:6]},
		{"bbox=-180,-90,180,90", all}, {"bbox=125,-9,-179,-8", all}, {"bbox=179,-9,126,-8", all}, {"bbox=177,65,-177,70", nil}, {"bbox=-180,85,180,90", nil}, {"bbox=-1.5,50,1.5,53", nil},
		// The newest report is pending: it is where everybody sees it, at 125.561, -8.61.
		{"bbox=125.5609,-8.6101,125.5611,-8.6099", all[:1]}, {"bbox=125.5612,-8.6101,125.5613,-8.6099", nil},
	} {
		if got := ids(s.get("/collections/reports/items?" + c.query)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, not %v", c.query, got, c.want)
		}
	}
	for query, want := range map[string]int{"municipalities/items?bbox=125.45,-8.65,125.46,-8.64": 1, "municipalities/items?bbox=125.4,-9.6,127.4,-8": 9, "sucos/items?bbox=125.55,-8.55,125.65,-8.54": 2,
		"sucos/items?bbox=179,-9,125.55,-8": 1, "sucos/items?bbox=177,65,-177,70": 0, "posts/items?bbox=125.59,-8.65,125.61,-8.64": 2} {
		page := s.get("/collections/" + query)
		if n := len(page.Items("features")); n != want || int(page.Number("numberMatched")) != want {
			t.Errorf("%s: %d areas, %v match", query, n, page.At("numberMatched"))
		}
	}
}

func timeResponse(t *testing.T, s *subject) {
	all := s.reports // the newest came in on the 7th, 0.123 s after midnight, the oldest on the 1st
	for query, want := range map[string][]string{
		"2026-11-03T00:00:00.123Z": all[4:5], "2026-11-03T09:00:00.123%2B09:00": all[4:5], "2026-11-03T09:00:00.123+09:00": all[4:5], "2026-11-03t00:00:00.123z": all[4:5],
		"2026-11-03T00:00:00.124Z": nil, "2026-11-03T00:00:00Z": nil, "2026-11-03T00:00:00.1231Z": nil,
		"2026-11-03T00:00:00Z/2026-11-05T00:00:00Z": all[3:5], "2026-11-03T00:00:00.123Z/2026-11-05T00:00:00.123Z": all[2:5], "2026-11-03T00:00:00.123Z/2026-11-03T00:00:00.123Z": all[4:5],
		"2026-11-06T00:00:00Z/..": all[:2], "2026-11-06T00:00:00Z/": all[:2], "../2026-11-02T00:00:00.123Z": all[5:], "/2026-11-02T00:00:00.123Z": all[5:], "../2026-11-02T00:00:00.122Z": all[6:], "2026-11-02T00:00:00.124Z/..": all[:5],
		"../0001-01-01T00:00:00Z": nil, "0001-01-01T00:00:00Z": nil, "0001-01-01T00:00:00Z/..": all, "9999-12-31T23:59:59.999Z/..": nil,
	} {
		if got := ids(s.get("/collections/reports/items?datetime=" + query)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, not %v", query, got, want)
		}
	}
	for _, c := range []string{"municipalities", "posts", "sucos"} { // areas have no time: they all match
		path := "/collections/" + c + "/items"
		if got, want := ids(s.get(path+"?datetime=2020-01-01T00:00:00Z")), ids(s.get(path)); !slices.Equal(got, want) {
			t.Errorf("%s at a time: %v, not %v", c, got, want)
		}
		s.nobody.Get("//ogc"+path+"?datetime=yesterday").WantProblem(http.StatusBadRequest, "invalid_input")
	}
}

// wantParameter checks that every collection's items have a parameter with this schema in the API definition.
func (s *subject) wantParameter(t *testing.T, name, kind string, schema map[string]any) {
	t.Helper()
	doc := s.get("/api")
	for _, c := range s.collections() {
		found := false
		for _, p := range s.parametersOf(doc, "/collections/"+c+"/items") {
			if p.Text("name") != name {
				continue
			}
			found = true
			if p.Text("in") != "query" || p.At("required") != false || p.Text("style") != "form" || p.At("explode") != false || p.Text("schema.type") != kind {
				t.Errorf("%s of %s is %v", name, c, p.Values)
			}
			for member, want := range schema {
				if got := p.At("schema." + member); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s of %s has %s %v, not %v", name, c, member, got, want)
				}
			}
		}
		if !found {
			t.Errorf("%s lacks %s", c, name)
		}
	}
}

// parametersOf are the parameters of a path of the API definition.
func (s *subject) parametersOf(doc apiclient.Object, path string) []apiclient.Object {
	s.Helper()
	item, ok := doc.Values["paths"].(map[string]any)[path].(map[string]any)
	if !ok {
		s.Fatalf("the document lacks %s", path)
	}
	all := apiclient.Object{Values: item}.Items("get.parameters")
	for i, p := range all {
		if name, is := strings.CutPrefix(p.Text("$ref"), "#/components/parameters/"); is {
			all[i].Values = doc.At("components.parameters." + name).(map[string]any)
		}
	}
	return all
}

// pages follows the links next and returns all ids.
func (s *subject) pages(t *testing.T, first apiclient.Object) []string {
	t.Helper()
	all, read := ids(first), map[string]bool{}
	for next := linkOf(first, "next", "application/geo+json"); next != ""; {
		if read[next] {
			t.Fatalf("%s leads to itself", next)
		}
		read[next] = true
		page := s.follow(next, "application/geo+json, application/json").Want(http.StatusOK).Object()
		if len(page.Items("features")) == 0 {
			t.Fatalf("%s leads to an empty page", next)
		}
		all = append(all, ids(page)...)
		next = linkOf(page, "next", "application/geo+json")
	}
	return all
}
