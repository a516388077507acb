package ogc_test

import (
	"bytes"
	_ "embed" // the schemas
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// annexA are the abstract tests of OGC 17-069r4 for the classes core, geojson, html and oas30, and the requirements that have no
// test there: fc-md-extent-multi and fc-rel-type.
const annexA = `
	/conf/core/http /conf/core/crs84
	/conf/core/root-op /conf/core/root-success /conf/core/api-definition-op /conf/core/api-definition-success /conf/core/conformance-op /conf/core/conformance-success
	/conf/core/fc-md-op /conf/core/fc-md-success /conf/core/fc-md-links /conf/core/fc-md-items /conf/core/fc-md-items-links /conf/core/fc-md-extent /req/core/fc-md-extent-multi
	/conf/core/sfc-md-op /conf/core/sfc-md-success
	/conf/core/fc-op /conf/core/fc-bbox-definition /conf/core/fc-bbox-response /conf/core/fc-limit-definition /conf/core/fc-limit-response /conf/core/fc-time-definition /conf/core/fc-time-response
	/conf/core/query-param-invalid /conf/core/query-param-unknown
	/conf/core/fc-response /conf/core/fc-links /req/core/fc-rel-type /conf/core/fc-timeStamp /conf/core/fc-numberMatched /conf/core/fc-numberReturned
	/conf/core/f-op /conf/core/f-success /conf/core/f-links
	/conf/geojson/definition /conf/geojson/content /conf/html/definition /conf/html/content
	/conf/oas30/completeness /conf/oas30/exceptions-codes /conf/oas30/oas-definition-1 /conf/oas30/oas-definition-2 /conf/oas30/oas-impl /conf/oas30/security`

// abstractTest is one of them.
type abstractTest struct {
	id  string
	run func(t *testing.T, s *subject)
}

// Everything that the standard asks of a server is true of this one.
func TestAbstractTestSuite(t *testing.T) {
	t.Parallel()
	s := withData(t)
	all := slices.Concat(resourceTests(), itemsTests(), featureTests(), encodingTests(), documentTests())
	var tested []string
	for _, test := range all {
		tested = append(tested, test.id)
		t.Run(strings.ReplaceAll(test.id[1:], "/", "."), func(t *testing.T) {
			test.run(t, &subject{s.System, &testenv.Client{Tester: apiclient.NewTester(t, s.URL)}, s.reports})
		})
	}
	want := strings.Fields(annexA)
	slices.Sort(want)
	slices.Sort(tested)
	if !slices.Equal(want, tested) {
		t.Errorf("tested %v\nof      %v", tested, want)
	}
}

//go:embed testdata/standard.json
var standardJSON []byte

// fits checks a JSON document against a schema of the standard.
func fits(t *testing.T, name string, body []byte) {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(standardJSON))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("standard.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("standard.json#/$defs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		t.Errorf("no %s: %v\n%.2000s", name, err, body)
	}
}

// resource is one address of this API, what its answers are and which schema they fit.
type resource struct{ path, mediaType, schema string }

// resources are all of them; each collection has one of its features.
func (s *subject) resources() []resource {
	out := []resource{
		{"", "application/json", "landingPage"}, {"/conformance", "application/json", "confClasses"}, {"/collections", "application/json", "collections"},
		{"/api", "application/vnd.oai.openapi+json;version=3.0", "openapi"},
	}
	for _, c := range s.collections() {
		path := "/collections/" + c
		out = append(out, resource{path, "application/json", "collection"}, resource{path + "/items", "application/geo+json", "featureCollection"},
			resource{path + "/items/" + ids(s.get(path + "/items?limit=1"))[0], "application/geo+json", "feature"})
	}
	return out
}

// collections are the ids of the collections that there are.
func (s *subject) collections() []string {
	var out []string
	for _, c := range s.get("/collections").Items("collections") {
		out = append(out, c.Text("id"))
	}
	return out
}

// wantLinks checks that an answer has a link to itself, one to the same as a page, and that all its links have what they need.
func wantLinks(t *testing.T, s *subject, o apiclient.Object, path, mediaType string) {
	t.Helper()
	if got := linkOf(o, "self", mediaType); got != s.URL+"/ogc"+path {
		t.Errorf("%s has the link self %q", path, got)
	}
	alternate := linkOf(o, "alternate", "text/html")
	if alternate == "" {
		t.Errorf("%s has no link to its page", path)
	} else if got := s.follow(alternate, mediaType).Want(200).Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("the page of %s is %s", path, got)
	}
	for _, l := range o.Items("links") {
		if l.Text("rel") == "" || l.Text("type") == "" || l.Text("href") == "" {
			t.Errorf("%s has the link %v", path, l.Values)
		}
	}
}

// numbers are the numbers of a list.
func numbers(v any) []float64 {
	var out []float64
	for _, n := range v.([]any) {
		out = append(out, n.(float64))
	}
	return out
}

// points are all positions of a geometry.
func points(v any) [][]float64 {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		panic(fmt.Sprintf("no coordinates: %v", v))
	}
	if _, ok := list[0].(float64); ok {
		return [][]float64{numbers(list)}
	}
	var out [][]float64
	for _, inner := range list {
		out = append(out, points(inner)...)
	}
	return out
}
