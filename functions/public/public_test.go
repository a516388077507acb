package public_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/paulmach/orb/encoding/mvt"

	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/web"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

type object = map[string]any

func setup(t *testing.T) *testenv.System {
	t.Helper()
	return testenv.New(t, reports.Open, public.Open, web.Open)
}

// file makes a report and returns its id and number.
func file(w *testenv.System, c *testenv.Client, changes object) (string, string) {
	body := object{"client_id": uuid.NewString(), "issue_type": "pothole", "title": "Hole", "latitude": -8.5569, "longitude": 125.5603}
	for k, v := range changes {
		body[k] = v
	}
	r := c.Post("/reports", body).Want(http.StatusCreated).Object()
	return r.Text("id"), r.Text("report_number")
}

// everything is every public address, with a report named where one is.
func everything(id, number string) []string {
	paths := []string{
		"/public/reports", "/public/reports?q=" + number, "/public/stats/summary", "/public/stats/by-type", "/public/stats/by-municipality",
		"/public/stats/by-district", "/public/stats/trends", "/public/map?bbox=125,-9,126,-8&zoom=15", "/public/map?bbox=125,-9,126,-8&zoom=6",
		"/public/tiles/15/27812/17165.mvt", "/public/tiles/7/108/67.mvt", "/public/export.csv", "/public/export.geojson", "/public/export.csv?status=pending,rejected",
	}
	for _, ref := range []string{id, number} {
		paths = append(paths, "/public/reports/"+ref, "/public/blockchain/report/"+ref+"/history", "/public/blockchain/report/"+ref+"/verify", "//r/"+ref)
	}
	return append(paths, "//map")
}

// TestNothingPrivateIsInAnyPublicAnswer makes a report of every kind with private data
// and searches all answers for that.
func TestNothingPrivateIsInAnyPublicAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	w.Exec(`UPDATE users SET full_name = 'Secret Person', phone_number = '+67077700001', email = 'secret@example.org'`)

	picture := c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(3)).Want(http.StatusCreated).Object().Text("upload_id")
	anonymous, anonymousNumber := file(w, c, object{"is_anonymous": true, "title": "Anonymous but shown", "device_info": object{"model": "SecretPhone"},
		"images": []object{{"upload_id": picture}}})
	w.Verify(anonymous)
	rejected, rejectedNumber := file(w, c, object{"title": "Hidden because rejected"})
	withdrawn, withdrawnNumber := file(w, c, object{"title": "Hidden because withdrawn"})
	w.Exec(`UPDATE reports SET status = 'rejected', rejection_reason = 'no' WHERE id = $1`, rejected)
	w.Exec(`UPDATE reports SET deleted_at = now() WHERE id = $1`, withdrawn)
	ofRejected, ofRejectedNumber := file(w, c, object{"is_anonymous": true, "title": "The same as what was rejected"})
	ofWithdrawn, ofWithdrawnNumber := file(w, c, object{"is_anonymous": true, "title": "The same as what was withdrawn"})
	w.Exec(`UPDATE reports SET status = 'duplicate', duplicate_of = $2 WHERE id = $1`, ofRejected, rejected)
	w.Exec(`UPDATE reports SET status = 'duplicate', duplicate_of = $2 WHERE id = $1`, ofWithdrawn, withdrawn)
	w.Exec(`INSERT INTO report_notes (id, report_id, content) VALUES ($1, $2, 'Secret internal note')`, uuid.New(), anonymous)

	secrets := []string{"Secret Person", "+67077700001", "secret@example.org", "SecretPhone", "Secret internal note", c.ID.String(),
		"Hidden because rejected", "Hidden because withdrawn", "originals/", "renditions/" + picture}
	nobody := w.Anonymous()
	shown := false
	for _, ref := range [][2]string{{anonymous, anonymousNumber}, {rejected, rejectedNumber}, {withdrawn, withdrawnNumber},
		{ofRejected, ofRejectedNumber}, {ofWithdrawn, ofWithdrawnNumber}} {
		for _, path := range everything(ref[0], ref[1]) {
			got := nobody.Get(path)
			body := string(got.Body)
			record := strings.Contains(path, "/blockchain/") // everybody reads that of every report
			for _, secret := range append(secrets, rejectedNumber, withdrawnNumber) {
				own := secret == ref[1] // a tombstone names its report, and so does the record
				if !own && strings.Contains(body, secret) {
					t.Errorf("%s tells %q", path, secret)
				}
			}
			if got.Status >= 500 && !strings.Contains(path, "/verify") { // no ledger runs here
				t.Errorf("%s answers %d %s", path, got.Status, body)
			}
			shown = shown || strings.Contains(body, "Anonymous but shown")
			if strings.Contains(path, rejected) || strings.Contains(path, withdrawn) {
				if record && got.Status == http.StatusNotFound || !record && got.Status != http.StatusGone && got.Status != http.StatusOK {
					t.Errorf("%s answers %d", path, got.Status)
				}
			}
		}
	}
	if !shown {
		t.Error("the public report is shown nowhere: the search proves nothing")
	}
}

func TestMapShowsPointsCloseAndClustersFar(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	for i := range 5 {
		file(w, c, object{"latitude": -8.5569 + float64(i)*0.0005})
	}
	file(w, c, object{"latitude": -8.46, "longitude": 126.45, "issue_type": "bridge"})
	nobody := w.Anonymous()

	for _, folded := range []bool{false, true} {
		if folded { // differences become cells; nothing changes for a reader
			w.Exec(`SELECT fold_map_cells()`)
		}
		far := nobody.Get("/public/map?bbox=124,-10,128,-8&zoom=7").Want(http.StatusOK).Object()
		counts := map[float64]int{}
		for _, f := range far.Items("features") {
			counts[f.Number("properties.point_count")]++
		}
		if counts[5] != 1 || counts[1] != 1 {
			t.Errorf("folded %v: clusters %v", folded, counts)
		}
	}
	w.Exec(`UPDATE reports SET deleted_at = now() WHERE issue_type = 'bridge'`)
	if n := len(nobody.Get("/public/map?bbox=124,-10,128,-8&zoom=7").Object().Items("features")); n != 1 {
		t.Errorf("a withdrawn report still counts: %d clusters", n)
	}
	w.Exec(`UPDATE reports SET deleted_at = NULL`)
	near := nobody.Get("/public/map?bbox=125.5,-8.6,125.6,-8.5&zoom=15").Want(http.StatusOK).Object().Items("features")
	if len(near) != 5 || near[0].Text("properties.status") != "pending" {
		t.Errorf("%d points", len(near))
	}
	if n := len(nobody.Get("/public/map?bbox=124,-10,128,-8&zoom=15&issue_type=bridge").Object().Items("features")); n != 1 {
		t.Errorf("%d bridges", n)
	}
}

func TestMapAcrossTheAntimeridianAndAtThePoles(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"report_area": [-180, -90, 180, 90]}')`)
	file(w, c, object{"latitude": 10, "longitude": 179.9})
	file(w, c, object{"latitude": 10, "longitude": -179.9})
	file(w, c, object{"latitude": 90, "longitude": 0})
	for box, want := range map[string]int{"179,9,-179,11": 2, "-180,-90,180,90": 3, "-10,85,10,90": 1, "-170,9,170,11": 0} {
		for _, zoom := range []int{5, 14} {
			got := w.Anonymous().Get(fmt.Sprintf("/public/map?bbox=%s&zoom=%d", box, zoom)).Want(http.StatusOK).Object().Items("features")
			n := 0
			for _, f := range got {
				n += max(1, int(f.Number("properties.point_count")))
			}
			if n != want {
				t.Errorf("%s at zoom %d: %d reports, want %d", box, zoom, n, want)
			}
		}
	}
	for _, bad := range []string{"", "1,2,3", "1,2,3,x", "-200,0,0,1", "0,5,1,4", "NaN,0,1,1"} {
		w.Anonymous().Get("/public/map?zoom=3&bbox=" + bad).Want(http.StatusUnprocessableEntity)
	}
}

func TestTiles(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	_, number := file(w, c, object{})
	file(w, c, object{"issue_type": "bridge"})
	w.Exec(`INSERT INTO boundaries (id, level, name, code, area) VALUES ($1, 'municipality', 'Dili', 'TL-DI', ST_Multi(ST_MakeEnvelope(125.4, -8.7, 125.8, -8.4, 4326)))`, uuid.New())

	layers := func(path string) map[string]*mvt.Layer {
		got := w.Anonymous().Get(path).Want(http.StatusOK)
		if got.Header.Get("Content-Type") != "application/vnd.mapbox-vector-tile" {
			t.Errorf("content type %s", got.Header.Get("Content-Type"))
		}
		decoded, err := mvt.Unmarshal(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]*mvt.Layer{}
		for _, l := range decoded {
			if l.Version != 2 {
				t.Errorf("layer %s has version %d", l.Name, l.Version)
			}
			out[l.Name] = l
		}
		return out
	}
	near := layers("/public/tiles/15/27812/17165.mvt")
	if r := near["reports"]; r == nil || len(r.Features) != 2 {
		t.Fatalf("reports %+v", r)
	}
	found := false
	for _, f := range near["reports"].Features {
		found = found || f.Properties["report_number"] == number
	}
	if !found {
		t.Error("a point does not name its report")
	}
	if b := near["boundaries"]; b == nil || b.Features[0].Properties["name"] != "Dili" {
		t.Errorf("boundaries %+v", b)
	}
	far := layers("/public/tiles/7/108/67")
	if r := far["reports"]; r == nil || len(r.Features) != 1 || r.Features[0].Properties["point_count"] != float64(2) {
		t.Errorf("cluster %+v", r)
	}
	if r := layers("/public/tiles/15/27812/17165.mvt?issue_type=bridge")["reports"]; r == nil || len(r.Features) != 1 {
		t.Errorf("filtered %+v", r)
	}
	if empty := w.Anonymous().Get("/public/tiles/15/0/0.mvt").Want(http.StatusOK); len(empty.Body) != 0 {
		t.Errorf("an empty tile has %d bytes", len(empty.Body))
	}
	for _, bad := range []string{"21/0/0.mvt", "2/4/0.mvt", "2/0/4.mvt", "2/0/x.mvt", "2/-1/0.mvt"} {
		w.Anonymous().Get("/public/tiles/" + bad).Want(http.StatusUnprocessableEntity)
	}
}

func TestExportsHoldTheMatchingReports(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	_, number := file(w, c, object{"title": `=HYPERLINK("http://evil")`, "description": "with, comma\nand line"})
	file(w, c, object{"issue_type": "bridge", "title": "Bridge"})
	w.Exec(`UPDATE reports SET status = 'verified'`)

	csv := string(w.Anonymous().Get("/public/export.csv").Want(http.StatusOK).Body)
	if lines := strings.Count(csv, "\nLS-"); lines != 2 || !strings.Contains(csv, number) || !strings.Contains(csv, `"'=HYPERLINK`) {
		t.Errorf("got %s", csv)
	}
	bridges := w.Anonymous().Get("/public/export.geojson?issue_type=bridge").Want(http.StatusOK).Object().Items("features")
	if len(bridges) != 1 || bridges[0].Text("properties.title") != "Bridge" || bridges[0].Text("geometry.type") != "Point" {
		t.Errorf("got %+v", bridges)
	}
}

// An answer through the gateway has at most 6 MB, and a quote in it takes two bytes. A longer export ends before this limit
// and after a whole row. The answer says that it is not complete.
func TestALongExportFitsInAGatewayResponse(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Exec(`INSERT INTO reports (id, report_number, content_hash, status, issue_type, title, description, latitude, longitude)
		SELECT gen_random_uuid(), 'LS-2026-' || lpad(n::text, 6, '0'), '', 'verified', CASE WHEN n <= 200 THEN 'bridge' ELSE 'pothole' END, 'Hole ' || n,
		       (SELECT string_agg(md5(n::text || i), ' ') FROM generate_series(1, 9) i), -8.5, 125.5
		  FROM generate_series(1, 10250) n`)
	// A client that does not ask for gzip gets the bytes as they are on the wire.
	plain := w.Anonymous().With("Accept-Encoding", "identity")
	for _, c := range []struct {
		what    string
		who     *testenv.Client
		path    string
		rows    func(int) bool
		more    string
		largest int
	}{
		{"packed", w.Anonymous(), "?issue_type=pothole", func(n int) bool { return n == 10_000 }, "true", 12_000_000},
		{"plain", plain, "?issue_type=pothole", func(n int) bool { return n > 3_000 && n < 10_000 }, "true", 5_500_000},
		{"few", plain, "?issue_type=bridge", func(n int) bool { return n == 200 }, "", 5_500_000},
	} {
		geo := c.who.Get("/public/export.geojson" + c.path).Want(http.StatusOK)
		lines := c.who.Get("/public/export.csv" + c.path).Want(http.StatusOK)
		for name, got := range map[string]struct {
			answer apiclient.TestResponse
			rows   int
		}{"geojson": {geo, len(geo.Object().Items("features"))}, "csv": {lines, strings.Count(string(lines.Body), "\nLS-")}} {
			size := len(got.answer.Body) + strings.Count(string(got.answer.Body), `"`)
			if !c.rows(got.rows) || got.answer.Header.Get("X-Truncated") != c.more || size > c.largest {
				t.Errorf("%s %s: %d reports in %d bytes, truncated %q", c.what, name, got.rows, size, got.answer.Header.Get("X-Truncated"))
			}
		}
	}
}

func TestDistrictsOfAnUnknownMunicipality(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Exec(`INSERT INTO boundaries (id, level, name, area) VALUES (gen_random_uuid(), 'district', 'Cristo Rei', ST_Multi(ST_MakeEnvelope(125, -9, 126, -8, 4326)))`)
	file(w, w.Citizen(), object{"municipality": "Dili", "district": "Cristo Rei"})
	for _, word := range []string{"", "TL-DI", "D%C3%ADli"} {
		if got := w.Anonymous().Get("/public/stats/by-district?municipality=" + word).Want(http.StatusOK).List(); len(got) != 1 {
			t.Errorf("%q: %v", word, got)
		}
	}
	w.Anonymous().Get("/public/stats/by-district?municipality=Atlantis").Want(http.StatusUnprocessableEntity)
}

// What a reporter types as a place is shown before the verdict only if it is a name of the boundaries.
func TestTypedPlacesAreHiddenBeforeAVerdict(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, nobody := w.Citizen(), w.Anonymous()
	w.Exec(`INSERT INTO boundaries (id, level, name, area) SELECT gen_random_uuid(), level, name, ST_Multi(ST_MakeEnvelope(125, -9, 126, -8, 4326))
		FROM (VALUES ('district', 'Cristo Rei'), ('suco', 'Becora')) AS v (level, name)`)
	typed, number := file(w, c, object{"suco": "CALL 77123456", "district": "CALL 77123456", "municipality": "CALL 77123456"})
	file(w, c, object{"suco": "Becora", "district": "Cristo Rei", "municipality": "Dili"})
	w.Exec(`UPDATE reports SET municipality_code = 'TL-DI'`) // of the point
	found := func(c *testenv.Client, path string) float64 {
		return c.Get(path).Want(http.StatusOK).Object().Number("total")
	}
	const bySuco, byDistrict = "/reports?suco=CALL%2077123456", "/reports?district=CALL%2077123456"
	for _, path := range everything(typed, number) {
		if body := string(nobody.Get(path).Body); strings.Contains(body, "77123456") {
			t.Errorf("%s tells it", path)
		}
	}
	if a, b := found(nobody, "/public"+bySuco), found(nobody, "/public"+byDistrict); a+b != 0 {
		t.Errorf("a search for it finds %v by suco, %v by district", a, b)
	}
	if a, b := found(c, bySuco), found(c, byDistrict); a+b != 2 {
		t.Errorf("the reporter finds %v by suco, %v by district", a, b)
	}
	if a, b := found(nobody, "/public/reports?suco=becora"), found(nobody, "/public/reports?district=cristo%20rei"); a+b != 2 {
		t.Errorf("a known suco finds %v, a known district %v", a, b)
	}
	r := nobody.Get("/public/reports/" + typed).Want(http.StatusOK).Object()
	if r.At("suco") != nil || r.At("district") != nil || r.Text("municipality") != "Dili" {
		t.Errorf("before the verdict: %v", r.Values)
	}
	w.Verify(typed)
	if r := nobody.Get("/public/reports/" + typed).Want(http.StatusOK).Object(); r.Text("suco") != "CALL 77123456" || r.Text("municipality") != "CALL 77123456" {
		t.Errorf("after the verdict: %v", r.Values)
	}
	if n := found(nobody, "/public"+bySuco); n != 1 {
		t.Errorf("after the verdict a search finds %v", n)
	}
}

// A name that a reporter typed as a place goes out of sight with the hidden words, everywhere, and as a district of a rejected
// report. Names of the boundaries stay.
func TestTypedPlacesGoWithHiddenWords(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, nobody, mod := w.Citizen(), w.Anonymous(), w.Staff(identity.Moderator)
	w.Exec(`INSERT INTO boundaries (id, level, name, area) SELECT gen_random_uuid(), level, name, ST_Multi(ST_MakeEnvelope(125, -9, 126, -8, 4326))
		FROM (VALUES ('district', 'Cristo Rei'), ('suco', 'Becora')) AS v (level, name)`)
	typed, number := file(w, c, object{"suco": "CALL 77123456", "district": "CALL 77123456", "municipality": "CALL 77123456"})
	known, _ := file(w, c, object{"suco": "Becora", "district": "Cristo Rei", "municipality": "Dili", "latitude": -8.6})
	w.Exec(`UPDATE reports SET municipality_code = 'TL-DI'`) // of the point
	for _, id := range []string{typed, known} {
		w.Verify(id)
	}
	tells := func(when string, want bool) {
		t.Helper()
		for _, path := range []string{"/public/reports", "/public/reports/" + typed, "//r/" + number, "/public/export.csv", "/public/export.geojson", "/public/stats/by-district"} {
			if body := string(nobody.Get(path).Want(http.StatusOK).Body); strings.Contains(body, "77123456") != want {
				t.Errorf("%s: %s tells it: %v", when, path, !want)
			}
		}
		for _, by := range []string{"suco", "district"} {
			if n := nobody.Get("/public/reports?" + by + "=CALL%2077123456").Want(http.StatusOK).Object().Number("total"); (n == 1) != want {
				t.Errorf("%s: a search by %s finds %v", when, by, n)
			}
		}
	}
	tells("verified", true)
	for _, id := range []string{typed, known} {
		mod.Post("/reports/"+id+"/hide", object{"reason_code": "offensive"}).Want(http.StatusOK)
	}
	tells("hidden", false)
	if r := nobody.Get("/public/reports/" + typed).Object(); r.Text("municipality") != "Dili" {
		t.Errorf("hidden: %v", r.Values)
	}
	if r := nobody.Get("/public/reports/" + known).Object(); r.Text("suco") != "Becora" || r.Text("district") != "Cristo Rei" {
		t.Errorf("hidden, with names of the boundaries: %v", r.Values)
	}
	if got := string(nobody.Get("/public/stats/by-district").Body); !strings.Contains(got, `"district":"Cristo Rei","municipality":"Dili","total":1`) {
		t.Errorf("districts: %s", got)
	}
	if n := c.Get("/reports?suco=CALL%2077123456").Object().Number("total"); n != 1 {
		t.Errorf("the reporter finds %v", n)
	}
	mod.Post("/reports/"+typed+"/unhide", nil).Want(http.StatusOK)
	tells("shown again", true)
	mod.Post("/reports/"+typed+"/status", object{"status": "rejected", "reason_code": "offensive"}).Want(http.StatusOK)
	if got := string(nobody.Get("/public/stats/by-district").Body); strings.Contains(got, "77123456") {
		t.Errorf("rejected: %s", got)
	}
}
