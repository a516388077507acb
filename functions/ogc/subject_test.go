package ogc_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/geocode/importboundaries"
	"github.com/lafaekstreet/backend/functions/ogc"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

type object = map[string]any

// subject is a system with reports and boundaries, seen by somebody who did not sign in.
type subject struct {
	*testenv.System
	nobody *testenv.Client
	// reports are ids, the newest first. The newest one is pending, the others are verified.
	reports []string
}

// openAll are the functions of the system.
func openAll() []testenv.OpenFunc { return []testenv.OpenFunc{reports.Open, ogc.Open} }

// setup makes a system without reports and boundaries.
func setup(t *testing.T) *subject {
	t.Helper()
	w := testenv.New(t)
	w.Env["RATE_LIMIT_VIEW_PER_MINUTE"] = "100000" // TestLimitAndCaches has the real one
	w.Serve(openAll()...)
	return &subject{System: w, nobody: w.Anonymous()}
}

// withData makes a system with 7 reports, a day apart, the municipality Dili with two posts, and three sucos.
func withData(t *testing.T) *subject {
	t.Helper()
	s := setup(t)
	c := s.Citizen()
	for i := range 7 {
		id := s.file(c, object{"title": fmt.Sprintf("Hole %d", i), "latitude": -8.55 - float64(i)*0.01, "longitude": 125.5612345})
		if i < 6 {
			s.Verify(id)
		}
		at := []string{"2026-11-01T00:00:00.123456Z", "2026-11-01T00:00:00.123Z"}[i%2] // both are shown as .123
		s.Exec(`UPDATE reports SET created_at = $2::timestamptz + $3 * interval '1 day', updated_at = now() WHERE id = $1`, id, at, i)
		s.reports = append([]string{id}, s.reports...)
	}
	s.boundaries("municipality", "Díli", 125.4, -8.7, "")
	s.boundaries("district", "Cristo Rei,Dom Aleixo", 125.5, -8.7, "Dili")
	s.boundaries("suco", "Comoro,Fatuhada,Bairro Pite", 125.5, -8.6, "Dom Aleixo")
	return s
}

// file sends a report and returns its id.
func (s *subject) file(c *testenv.Client, changes object) string {
	s.Helper()
	body := object{"client_id": uuid.NewString(), "issue_type": "pothole", "title": "Hole", "latitude": -8.5569, "longitude": 125.5603}
	for k, v := range changes {
		body[k] = v
	}
	return c.Post("/reports", body).Want(http.StatusCreated).Object().Text("id")
}

// boundaries imports areas of 0.1 degrees beside each other; each has a wave of many points on its northern side.
func (s *subject) boundaries(level, names string, lon, lat float64, parent string) {
	s.Helper()
	var features []object
	for i, name := range strings.Split(names, ",") {
		west := lon + 0.1*float64(i)
		ring := [][2]float64{{west, lat}, {west + 0.1, lat}}
		for n := range 101 {
			ring = append(ring, [2]float64{west + 0.1 - float64(n)*0.001, lat + 0.1 + float64(n%2)*0.0001})
		}
		ring = append(ring, ring[0])
		features = append(features, object{"type": "Feature", "properties": object{"name": name, "parent": parent, "code": fmt.Sprintf("%s-%d", level, i)},
			"geometry": object{"type": "Polygon", "coordinates": [][][2]float64{ring}}})
	}
	raw, err := json.Marshal(object{"type": "FeatureCollection", "features": features})
	if err != nil {
		s.Fatal(err)
	}
	options := importboundaries.Options{Level: level, Name: "name", Parent: "parent", Code: "code"}
	if _, err := importboundaries.Run(s.Context(), options, strings.NewReader(string(raw)), s.OwnerEnv()["DATABASE_URL"]); err != nil {
		s.Fatal(err)
	}
}

// get reads a path of this API as JSON.
func (s *subject) get(path string) apiclient.Object {
	s.Helper()
	return s.nobody.Get("//ogc" + path).Want(http.StatusOK).Object()
}

// follow reads the address of a link as a program with this Accept header does.
func (s *subject) follow(href, accept string) apiclient.TestResponse {
	s.Helper()
	path, ok := strings.CutPrefix(href, s.URL)
	if !ok {
		path = "/no-link-to-this-system" // a 404, which ends this test alone
	}
	return s.nobody.With("Accept", accept).Get("/" + path)
}

// linkOf is the address of the first link with a relation and a media type; empty for any type. It is empty where there is none.
func linkOf(o apiclient.Object, rel, mediaType string) string {
	for _, l := range o.Items("links") {
		if l.Text("rel") == rel && (mediaType == "" || l.Text("type") == mediaType) {
			return l.Text("href")
		}
	}
	return ""
}

// ids are the ids of the features of a page.
func ids(page apiclient.Object) []string {
	var out []string
	for _, f := range page.Items("features") {
		out = append(out, f.Text("id"))
	}
	return out
}
