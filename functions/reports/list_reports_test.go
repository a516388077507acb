package reports_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/database"
)

// place puts a report straight into the database.
func place(w *testenv.System, c *testenv.Client, lat, lon float64, set string) string {
	id := database.NewID()
	w.Exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude, title)
		VALUES ($1, $2, $3, '', 'pothole', $4, $5, 'Title')`, id, "LS-2026-"+fmt.Sprintf("%06d", w.Int(`SELECT count(*) FROM reports`)+1), c.ID, lat, lon)
	if set != "" {
		w.Exec(`UPDATE reports SET `+set+` WHERE id = $1`, id)
	}
	return id.String()
}

func TestFilters(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	place(w, c, -8.55, 125.57, `status = 'verified', severity = 'high', municipality_code = 'TL-DI', district = 'Cristo Rei', suco = 'Bidau', description = 'Deep under the mango tree'`)
	place(w, c, -8.47, 126.45, `issue_type = 'flooding', severity = 'low', municipality_code = 'TL-BA', created_at = '2026-03-05T15:30:00Z', updated_at = '2026-03-05T15:30:00Z'`)
	place(w, c, -8.50, 126.00, `status = 'fixed', issue_type = 'bridge', severity = 'critical', created_at = '2026-03-06T16:00:00Z', updated_at = '2026-03-06T16:00:00Z'`)
	place(w, c, -8.25, 125.60, `municipality_code = 'TL-AT', district = 'Ataúro', suco = E'Maquil\u00ed', address = E'Liquic\u0327a\u0301',
		description = 'Iha fatin ne''ebé aat', created_at = '2026-01-05T15:30:00Z', updated_at = '2026-01-05T15:30:00Z'`)
	for query, want := range map[string]float64{
		"":                                   4,
		"status=Verified":                    1,
		"status=verified,FIXED":              2,
		"issue_type=flood,bridge":            2,
		"severity=high":                      1,
		"municipality=Díli":                  1,
		"municipality=TL-BA":                 1,
		"municipality=Vila Salazar":          1,
		"district=cristo rei":                1,
		"suco=BIDAU":                         1,
		"q=mango TREE":                       1,
		"q=Ma\u0301ngo":                      1, // "a" and an accent as a character of its own
		"q=ne\u2019ebe\u0301":                1,
		"q=NE`EBE":                           1,
		"q=liquica":                          1,
		"district=Atau\u0301ro":              1,
		"district=atauro":                    1,
		"suco=Maquili":                       1,
		"suco= makadade ":                    0,
		"municipality=Atau\u0301ro":          1,
		"municipality=LIQUI\u00c7\u00c1":     0,
		"q=100%25 mango":                     0,
		"q=LS-2026-000002":                   1,
		"q=ls2026000002":                     1,
		"date_from=2026-03-06":               3, // half past midnight of the 6th in Dili is the 5th in UTC
		"date_to=2026-03-06":                 2,
		"date_to=2026-03-07":                 3,
		"date_from=2026-03-06T00:00:00Z":     2,
		"bbox=125.5,-8.6,125.6,-8.5":         1,
		"bbox=126.1,-9,126,-8":               4, // all the way round by the other side
		"bbox=170,-9,-170,-8":                0,
		"updated_since=2026-03-06T00:00:00Z": 2,
		"status=verified&issue_type=bridge":  0,
	} {
		got := c.Get("/reports?" + escaped(query)).Want(http.StatusOK).Object()
		if got.Number("total") != want || float64(len(got.Items("items"))) != want {
			t.Errorf("%s: %v reports, want %v", query, got.Number("total"), want)
		}
	}
	// A plus that a client does not encode is a space to the decoder of queries.
	for query, want := range map[string]float64{"updated_since=2026-03-06T09:00:00+09:00": 2, "updated_since=2026-03-06T09:00:00%2B09:00": 2,
		"date_from=2026-03-06T09:00:00.5+09:00": 2, "date_to=2026-03-06T01:00:00+09:00": 2} {
		if got := c.Get("/reports?" + query).Want(http.StatusOK).Object(); got.Number("total") != want {
			t.Errorf("%s: %v reports, want %v", query, got.Number("total"), want)
		}
	}
	for _, query := range []string{"updated_since=2026-03-06T09:00:00%20x09:00", "updated_since=2026-03-06%2009:00", "status=sideways", "severity=bad", "municipality=Atlantis", "q=ab", "q='a'b’", "q=%CC%81%CC%81%CC%81", "bbox=1,2,3", "bbox=1,2,3,NaN",
		"bbox=0,91,1,92", "date_from=yesterday", "sort=title", "page=0", "page_size=101", "cursor=x", "updated_since=then"} {
		if got := c.Get("/reports?" + query); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", query, got.Status)
		}
	}
}

// TestBoxesHoldWhatLiesInThem asks for boxes anywhere, up to the poles and across the antimeridian, beside comparing degrees.
func TestBoxesHoldWhatLiesInThem(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	r := rand.New(rand.NewPCG(3, 4))
	var points [][2]float64
	for range 60 {
		lat, lon := r.Float64()*180-90, r.Float64()*360-180
		place(w, c, lat, lon, "")
		points = append(points, [2]float64{lat, lon})
	}
	met := 0
	for i := range 60 {
		south, west := r.Float64()*180-90, r.Float64()*360-180
		north, east := south+r.Float64()*(90-south), west+r.Float64()*360
		if i%3 == 0 { // by way of a point, and small
			south, west = points[i][0]-0.001, points[i][1]-0.001
			north, east = south+0.002, west+0.002
		}
		south, north = max(south, -90), min(north, 90)
		if west < -180 {
			west += 360
		}
		if east > 180 {
			east -= 360
		}
		want := 0
		for _, p := range points {
			across := west <= east && p[1] >= west && p[1] <= east || west > east && (p[1] >= west || p[1] <= east)
			if p[0] >= south && p[0] <= north && across {
				want++
			}
		}
		met += want
		query := fmt.Sprintf("bbox=%.9f,%.9f,%.9f,%.9f", west, south, east, north)
		if got := c.Get("/reports?" + query).Want(http.StatusOK).Object().Number("total"); got != float64(want) {
			t.Errorf("%s: %v reports, want %d", query, got, want)
		}
	}
	if met < 60 {
		t.Errorf("the boxes met %d reports in all", met)
	}
}

func escaped(query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return query
	}
	return values.Encode()
}

func TestPagesAndCursorsWalkTheSameList(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	severities := []string{"low", "medium", "high", "critical"}
	for i := range 23 {
		place(w, c, -8.5, 125.5, fmt.Sprintf(`severity = '%s', created_at = now() - interval '%d minutes', updated_at = now() - interval '%d minutes'`,
			severities[i%4], i/3, (i*7)%11))
	}
	for _, sort := range []string{"created_at", "updated_at", "severity"} {
		for _, order := range []string{"asc", "desc"} {
			var pages, cursors []string
			for page := 1; ; page++ {
				got := c.Get(fmt.Sprintf("/reports?sort=%s&order=%s&page=%d&limit=5", sort, order, page)).Want(200).Object()
				for _, item := range got.Items("items") {
					pages = append(pages, item.Text("id"))
				}
				if got.At("has_next") != true {
					break
				}
			}
			cursor := ""
			for {
				got := c.Get(fmt.Sprintf("/reports?sort=%s&order=%s&page_size=4&cursor=%s", sort, order, cursor)).Want(200).Object()
				for _, item := range got.Items("items") {
					cursors = append(cursors, item.Text("id"))
				}
				if cursor = got.Text("next_cursor"); cursor == "" {
					break
				}
			}
			seen := map[string]bool{}
			for i := range pages {
				seen[pages[i]] = true
				if i >= len(cursors) || pages[i] != cursors[i] {
					t.Fatalf("%s %s: lists part at %d: %v\n%v", sort, order, i, pages, cursors)
				}
			}
			if len(seen) != 23 {
				t.Errorf("%s %s: %d of 23 reports", sort, order, len(seen))
			}
		}
	}
}

func TestNearby(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	near := place(w, c, -8.5500, 125.5700, "")
	nearer := place(w, c, -8.5501, 125.5600, "")
	place(w, c, -8.9, 125.57, "")
	got := c.Get("/reports/nearby?lat=-8.55&lng=125.56&radius=3").Want(http.StatusOK).Object()
	items := got.Items("items")
	if len(items) != 2 || items[0].Text("id") != nearer || items[1].Text("id") != near || got.Number("total") != 2 {
		t.Fatalf("got %v", got.Values)
	}
	if d := items[1].Number("distance_meters"); d < 1095 || d > 1105 {
		t.Errorf("distance %v", d)
	}
	if got := c.Get("/reports/nearby?latitude=-8.55&longitude=125.56&radius_meters=500").Object().Items("items"); len(got) != 1 {
		t.Errorf("within 500 m: %d", len(got))
	}
	fiji := place(w, c, -17, 179.9999, "")
	pole := place(w, c, 89.9999, 10, "")
	if got := c.Get("/reports/nearby?latitude=-17&longitude=-179.9999&radius=1").Object().Items("items"); len(got) != 1 || got[0].Text("id") != fiji {
		t.Errorf("across the antimeridian: %v", got)
	}
	if got := c.Get("/reports/nearby?latitude=90&longitude=-170&radius=1").Object().Items("items"); len(got) != 1 || got[0].Text("id") != pole {
		t.Errorf("at the pole: %v", got)
	}
	for _, query := range []string{"latitude=91&longitude=0", "latitude=NaN&longitude=0", "longitude=125", "latitude=0&longitude=181",
		"latitude=0&longitude=0&radius=51", "latitude=0&longitude=0&radius_meters=50001", "latitude=0&longitude=0&limit=201", "latitude=0&longitude=0&radius=-1"} {
		if got := c.Get("/reports/nearby?" + query); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", query, got.Status)
		}
	}
}

func TestMyReports(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	place(w, c, -8.5, 125.5, "status = 'fixed'")
	place(w, c, -8.5, 125.5, "status = 'rejected'")
	place(w, w.Citizen(), -8.5, 125.5, "")
	got := c.Get("/reports/my-reports?status=fixed").Want(200).Object()
	if got.Number("total") != 1 || got.Number("status_counts.rejected") != 1 || got.Number("status_counts.fixed") != 1 || got.At("status_counts.pending") != 0.0 {
		t.Errorf("got %v", got.Values)
	}
	c.Get("/reports/" + uuid.NewString()).Want(http.StatusNotFound)
	c.Get("/reports/LS-2026-999999").Want(http.StatusNotFound)
	c.Get("/reports/seven").Want(http.StatusUnprocessableEntity)
}

func TestSimilar(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	here := created(c, object{"images": []object{{"upload_id": uploaded(c, w, 1)}}})
	alike := created(c, object{"latitude": -8.5570, "images": []object{{"upload_id": uploaded(c, w, 2)}}})
	unlike := created(c, object{"latitude": -8.5571, "images": []object{{"upload_id": uploaded(c, w, 3)}}})
	created(c, object{"latitude": -8.6})
	w.Exec(`UPDATE reports SET status = 'verified'`)
	w.Exec(`UPDATE reports SET status = 'fixed' WHERE id = $1`, created(c, object{"latitude": -8.5572})) // only open reports are similar ones
	vector := func(id string, x, y float64) {
		w.Exec(`INSERT INTO report_embeddings (image_id, report_id, model, embedding)
			SELECT i.id, i.report_id, 'm', (ARRAY[$2::float8, $3::float8] || array_fill(0::float8, ARRAY[1022]))::vector FROM report_images i WHERE report_id = $1`, id, x, y)
	}
	vector(here, 1, 0)
	vector(alike, 0.9, 0.1)
	vector(unlike, 0, 1)
	items := c.Get("/reports/similar?report_id=" + here).Want(200).Object().Items("items")
	if len(items) != 2 || items[0].Text("id") != alike || items[0].Number("similarity") < 0.9 || items[0].Text("similarity_by") != "meaning" ||
		items[1].Number("similarity") > 0.1 || items[0].Number("distance_meters") > 20 {
		t.Errorf("like a report: %v", items)
	}
	w.Exec(`UPDATE uploads u SET perceptual_hash = CASE WHEN i.report_id = $1 THEN 255 ELSE -1 END FROM report_images i WHERE i.upload_id = u.id`, alike)
	fresh := uploaded(c, w, 4)
	w.Exec(`UPDATE uploads SET perceptual_hash = 254 WHERE id = $1`, fresh)
	items = c.Get("/reports/similar?image_upload_id=" + fresh + "&lat=-8.5570&lon=125.5603").Want(200).Object().Items("items")
	if len(items) != 3 || items[0].Text("id") != alike || items[0].Number("similarity") != 1-1.0/64 || items[0].Text("similarity_by") != "look" {
		t.Errorf("like an upload: %v", items)
	}
	if got := w.Citizen().Get("/reports/similar?image_upload_id=" + fresh + "&lat=-8.5570&lon=125.5603").Want(422).Code(); got != "upload_unknown" {
		t.Errorf("somebody else's upload: %s", got)
	}
	c.Get("/reports/similar").Want(http.StatusUnprocessableEntity)
	c.Get("/reports/similar?latitude=95&longitude=1").Want(http.StatusUnprocessableEntity)
}
