package ogc_test

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// resourceTests are those of the landing page, the conformance declaration, the API definition and the collections.
func resourceTests() []abstractTest {
	return []abstractTest{
		{"/conf/core/http", func(t *testing.T, s *subject) {
			for _, r := range s.resources() {
				got := s.nobody.Get("//ogc" + r.path).Want(http.StatusOK)
				head := s.nobody.Do(http.MethodHead, "//ogc"+r.path, nil).Want(http.StatusOK)
				if len(head.Body) > 0 || head.Header.Get("Content-Type") != got.Header.Get("Content-Type") {
					t.Errorf("HEAD %s answers %s with %d bytes", r.path, head.Header.Get("Content-Type"), len(head.Body))
				}
				s.nobody.Do(http.MethodPost, "//ogc"+r.path, nil).Want(http.StatusMethodNotAllowed)
			}
		}},
		{"/conf/core/root-op", func(t *testing.T, s *subject) {
			s.nobody.Get("//ogc").Want(http.StatusOK)
			s.nobody.Get("//ogc/").Want(http.StatusOK)
		}},
		{"/conf/core/root-success", func(t *testing.T, s *subject) {
			got := s.nobody.Get("//ogc").Want(http.StatusOK)
			fits(t, "landingPage", got.Body)
			for rel, mediaType := range map[string]string{"service-desc": "application/vnd.oai.openapi+json;version=3.0", "service-doc": "text/html", "conformance": "application/json", "data": "application/json"} {
				if linkOf(got.Object(), rel, mediaType) == "" {
					t.Errorf("no link %s to %s", rel, mediaType)
				}
			}
			wantLinks(t, s, got.Object(), "", "application/json")
		}},
		{"/conf/core/api-definition-op", func(t *testing.T, s *subject) {
			for _, rel := range []string{"service-desc", "service-doc"} {
				s.follow(linkOf(s.get(""), rel, ""), "*/*").Want(http.StatusOK)
			}
		}},
		{"/conf/core/api-definition-success", func(t *testing.T, s *subject) {
			for _, l := range s.get("").Items("links") {
				if rel := l.Text("rel"); rel != "service-desc" && rel != "service-doc" {
					continue
				}
				got := s.follow(l.Text("href"), l.Text("type")).Want(http.StatusOK)
				if !strings.HasPrefix(got.Header.Get("Content-Type"), l.Text("type")) {
					t.Errorf("asked for %s and got %s", l.Text("type"), got.Header.Get("Content-Type"))
				}
				if l.Text("rel") == "service-desc" {
					fits(t, "openapi", got.Body)
				}
			}
		}},
		{"/conf/core/conformance-op", func(t *testing.T, s *subject) {
			s.nobody.Get("//ogc/conformance").Want(http.StatusOK)
			s.follow(linkOf(s.get(""), "conformance", ""), "application/json").Want(http.StatusOK)
		}},
		{"/conf/core/conformance-success", func(t *testing.T, s *subject) {
			got := s.nobody.Get("//ogc/conformance").Want(http.StatusOK)
			fits(t, "confClasses", got.Body)
			var classes []string
			for _, class := range got.Object().At("conformsTo").([]any) {
				classes = append(classes, strings.TrimPrefix(class.(string), "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"))
			}
			slices.Sort(classes)
			if want := []string{"core", "geojson", "html", "oas30"}; !slices.Equal(classes, want) {
				t.Errorf("conforms to %v, not %v", classes, want)
			}
		}},
		{"/conf/core/fc-md-op", func(t *testing.T, s *subject) {
			s.nobody.Get("//ogc/collections").Want(http.StatusOK)
			s.follow(linkOf(s.get(""), "data", "application/json"), "application/json").Want(http.StatusOK)
		}},
		{"/conf/core/fc-md-success", func(t *testing.T, s *subject) {
			fits(t, "collections", s.nobody.Get("//ogc/collections").Want(http.StatusOK).Body)
		}},
		{"/conf/core/fc-md-links", func(t *testing.T, s *subject) {
			wantLinks(t, s, s.get("/collections"), "/collections", "application/json")
		}},
		{"/conf/core/fc-md-items", func(t *testing.T, s *subject) {
			if got, want := s.collections(), []string{"reports", "municipalities", "posts", "sucos"}; !slices.Equal(got, want) {
				t.Errorf("collections %v, not %v", got, want)
			}
		}},
		{"/conf/core/fc-md-items-links", func(t *testing.T, s *subject) {
			for _, c := range s.get("/collections").Items("collections") {
				for _, mediaType := range []string{"application/geo+json", "text/html"} {
					got := s.follow(linkOf(c, "items", mediaType), mediaType).Want(http.StatusOK)
					if !strings.HasPrefix(got.Header.Get("Content-Type"), mediaType) {
						t.Errorf("items of %s as %s: %s", c.Text("id"), mediaType, got.Header.Get("Content-Type"))
					}
				}
			}
		}},
		{"/conf/core/fc-md-extent", func(t *testing.T, s *subject) {
			for _, c := range s.get("/collections").Items("collections") {
				box := numbers(c.At("extent.spatial.bbox").([]any)[0])
				page := s.get("/collections/" + c.Text("id") + "/items")
				for _, f := range page.Items("features") {
					for _, at := range points(f.At("geometry.coordinates")) {
						if at[0] < box[0] || at[1] < box[1] || at[0] > box[2] || at[1] > box[3] {
							t.Errorf("%s has %v outside of %v", c.Text("id"), at, box)
						}
					}
					if at, has := f.At("properties.created_at").(string); has && at < c.At("extent.temporal.interval").([]any)[0].([]any)[0].(string) {
						t.Errorf("%s has %s before its interval", c.Text("id"), at)
					}
				}
			}
		}},
		{"/req/core/fc-md-extent-multi", func(t *testing.T, s *subject) {
			for _, c := range s.get("/collections").Items("collections") {
				if n := len(c.At("extent.spatial.bbox").([]any)); n != 1 { // fc-md-extent has looked into the first
					t.Errorf("%s has %d boxes", c.Text("id"), n)
				}
				if interval, has := c.At("extent.temporal.interval").([]any); has && len(interval) != 1 {
					t.Errorf("%s has the intervals %v", c.Text("id"), interval)
				}
			}
		}},
		{"/conf/core/sfc-md-op", func(t *testing.T, s *subject) {
			for _, c := range s.collections() {
				s.nobody.Get("//ogc/collections/" + c).Want(http.StatusOK)
			}
			s.nobody.Get("//ogc/collections/roads").WantProblem(http.StatusNotFound, "not_found")
		}},
		{"/conf/core/sfc-md-success", func(t *testing.T, s *subject) {
			for _, in := range s.get("/collections").Items("collections") {
				path := "/collections/" + in.Text("id")
				got := s.nobody.Get("//ogc" + path).Want(http.StatusOK)
				fits(t, "collection", got.Body)
				alone := got.Object()
				for _, member := range []string{"id", "title", "description", "extent", "itemType"} {
					if !reflect.DeepEqual(alone.At(member), in.At(member)) {
						t.Errorf("%s of %s: %v, not %v", member, path, alone.At(member), in.At(member))
					}
				}
				for _, l := range in.At("links").([]any) {
					if !slices.ContainsFunc(alone.At("links").([]any), func(other any) bool { return reflect.DeepEqual(l, other) }) {
						t.Errorf("%s lacks the link %v", path, l)
					}
				}
				wantLinks(t, s, alone, path, "application/json")
			}
		}},
		{"/conf/core/crs84", func(t *testing.T, s *subject) {
			for _, c := range s.get("/collections").Items("collections") {
				if got := c.At("extent.spatial.crs"); got != "http://www.opengis.net/def/crs/OGC/1.3/CRS84" {
					t.Errorf("%s has the reference system %v", c.Text("id"), got)
				}
				for _, f := range s.get("/collections/" + c.Text("id") + "/items").Items("features") {
					for _, at := range points(f.At("geometry.coordinates")) {
						if len(at) != 2 || at[0] < 124 || at[0] > 128 || at[1] < -10 || at[1] > -8 { // longitude first
							t.Errorf("%s lies at %v", f.Text("id"), at)
						}
					}
				}
			}
		}},
	}
}

// instant reads a time of an answer.
func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
