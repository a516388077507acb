package ogc_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// What QGIS asks for when a person adds a layer and looks at a part of the map (qgsoapifprovider.cpp of QGIS 3.34): the landing
// page, the description, the collection, ten features for the fields, then all pages of what is in view.
func TestAsQGISReads(t *testing.T) {
	t.Parallel()
	s := withData(t)
	landing := s.follow(s.URL+"/ogc", "application/json").Want(http.StatusOK).Object()
	api := linkOf(landing, "service-desc", "application/vnd.oai.openapi+json;version=3.0")
	doc := s.follow(api, "application/vnd.oai.openapi+json;version=3.0, application/openapi+json;version=3.0, application/json").Want(http.StatusOK).Object()
	// It asks for 1,000 features at once where the component "limit" allows them.
	if doc.Number("components.parameters.limit.schema.maximum") != 1000 || doc.Number("components.parameters.limit.schema.default") != 100 {
		t.Errorf("the component limit is %v", doc.At("components.parameters.limit"))
	}
	var filters []string
	for _, p := range s.parametersOf(doc, "/collections/reports/items") { // as it finds what the server can filter
		if p.Text("in") == "query" && p.Text("style") == "form" && p.At("explode") == false && p.Text("schema.type") == "string" {
			filters = append(filters, p.Text("name"))
		}
	}
	for _, name := range []string{"issue_type", "status", "severity", "municipality", "source"} {
		if !slices.Contains(filters, name) {
			t.Errorf("it cannot filter by %s: %v", name, filters)
		}
	}
	s.follow(linkOf(landing, "conformance", ""), "application/json").Want(http.StatusOK)

	collections, _, _ := strings.Cut(linkOf(landing, "data", "application/json"), "?")
	collection := s.follow(collections+"/reports", "application/json").Want(http.StatusOK).Object()
	box := numbers(collection.At("extent.spatial.bbox").([]any)[0])
	const accept = "application/geo+json, application/json"
	sample := s.follow(collections+"/reports/items?limit=10", accept).Want(http.StatusOK).Object()
	for _, f := range sample.Items("features") {
		if f.Text("geometry.type") != "Point" || len(f.At("properties").(map[string]any)) != 18 {
			t.Errorf("a layer of points with 18 fields has %v", f.Values)
		}
	}
	query := url.Values{"limit": {"2"}, "bbox": {fmt.Sprintf("%v,%v,%v,%v", box[0], box[1], box[2], box[3])}, "status": {"verified"}}
	first := s.follow(collections+"/reports/items?"+query.Encode(), accept).Want(http.StatusOK).Object()
	if got := s.pages(t, first); !slices.Equal(got, s.reports[1:]) {
		t.Errorf("the layer has %v of %v", got, s.reports[1:])
	}
	s.follow(collections+"/reports/items/"+s.reports[3], accept).Want(http.StatusOK)
}

// What the driver OAPIF of GDAL asks for (ogroapifdriver.cpp of GDAL 3.6): the collections, the links items, pages by next, and a
// filter by the parameters of the description. It refuses answers of other media types than these.
func TestAsGDALReads(t *testing.T) {
	t.Parallel()
	s := withData(t)
	read := func(address, accept string) apiclient.Object {
		got := s.follow(address, accept).Want(http.StatusOK)
		if mediaType := got.Header.Get("Content-Type"); !slices.Contains(strings.Split(accept, ", "), mediaType) {
			t.Errorf("%s is %s, not one of %s", address, mediaType, accept)
		}
		return got.Object()
	}
	features := map[string]int{"reports": 7, "municipalities": 14, "posts": 2, "sucos": 3}
	for _, c := range read(s.URL+"/ogc/collections", "application/json").Items("collections") {
		items := linkOf(c, "items", "application/geo+json")
		if strings.Contains(items, "?") {
			t.Errorf("%s: the driver appends its parameters to %s", c.Text("id"), items)
		}
		first := read(items+"?limit=2", "application/geo+json, application/json")
		if n := len(s.pages(t, first)); n != features[c.Text("id")] {
			t.Errorf("%s has %d features", c.Text("id"), n)
		}
	}
	read(s.URL+"/ogc/api", "application/vnd.oai.openapi+json;version=3.0, application/openapi+json;version=3.0, application/json")
	if got := ids(read(s.URL+"/ogc/collections/reports/items?limit=10&status=pending&bbox=125.5,-8.7,125.6,-8.5", "application/geo+json, application/json")); !slices.Equal(got, s.reports[:1]) {
		t.Errorf("the pending report is %v", got)
	}
}

// Pages stay what they are while reports come in: no report comes twice, and none of the beginning is left out.
func TestPagesWhileReportsComeIn(t *testing.T) {
	t.Parallel()
	s := withData(t)
	c := s.Citizen()
	page := s.get("/collections/reports/items?limit=2")
	all := ids(page)
	for next := linkOf(page, "next", ""); next != "" && len(all) < 100; next = linkOf(page, "next", "") {
		s.file(c, object{"title": "Came in meanwhile " + next[len(next)-8:]})
		page = s.follow(next, "*/*").Want(http.StatusOK).Object()
		all = append(all, ids(page)...)
	}
	if !slices.Equal(all, s.reports) {
		t.Errorf("read %v of %v", all, s.reports)
	}
}

// A page that would be larger than a function may answer with has fewer features than its limit. A list of more reports than are
// counted says no number.
func TestLargePages(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.Exec(`INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude, status, title, description, created_at)
		SELECT gen_random_uuid(), 'LS-2026-' || lpad(n::text, 6, '0'), '', 'pothole', -8.55, 125.56, 'verified', 'Hole ' || n, repeat('é', 2000), now() - n * interval '1 minute'
		  FROM generate_series(1, 1003) n`)
	first := s.nobody.Get("//ogc/collections/reports/items?limit=1000").Want(http.StatusOK)
	body, err := first.Plain()
	if err != nil || len(body) < 2_900_000 || len(body) > 3_100_000 {
		t.Errorf("the page has %d bytes (%v)", len(body), err)
	}
	page := first.Object()
	if n := len(ids(page)); n < 600 || n > 900 || page.At("numberMatched") != nil || int(page.Number("numberReturned")) != n {
		t.Errorf("%d features, %v returned, %v match", n, page.At("numberReturned"), page.At("numberMatched"))
	}
	all := s.pages(t, page)
	unique := slices.Clone(all)
	slices.Sort(unique)
	if len(all) != 1003 || len(slices.Compact(unique)) != 1003 {
		t.Errorf("the pages have %d features", len(all))
	}
	if n := s.get("/collections/reports/items?limit=1&datetime=" + "../2020-01-01T00:00:00Z").Number("numberMatched"); n != 0 {
		t.Errorf("%v match", n)
	}
}
