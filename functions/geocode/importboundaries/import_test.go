package importboundaries

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/ledgertest"
	"github.com/lafaekstreet/backend/infra/local/testdb"
)

const collection = `{"type":"FeatureCollection","features":[
	{"type":"Feature","properties":{"ADM1":"Díli"},"geometry":{"type":"Polygon","coordinates":[[[125.4,-8.7],[125.8,-8.7],[125.8,-8.4],[125.4,-8.4],[125.4,-8.7]]]}},
	{"type":"Feature","properties":{"ADM1":"NAME2"},"geometry":{"type":"Polygon","coordinates":[[[126,-8.7],[126.5,-8.7],[126.5,-8.4],[126,-8.4],[126,-8.7]]]}}]}`

// options are a file and what it has.
type options struct{ file, level, name, parent string }

func run(ctx context.Context, o options, url string) (int, error) {
	return Run(ctx, Options{Level: o.level, Name: o.name, Parent: o.parent}, strings.NewReader(o.file), url)
}

func count(t *testing.T, url, query string) int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var n int
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestImportReplacesALevelAndPlacesReports(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	id := uuid.New()
	_, err = conn.Exec(t.Context(), `INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude)
		VALUES ($1, 'LS-2026-000001', '', 'pothole', -8.55, 125.56)`, id)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	ledgertest.Submit(t, pool, id)
	o := options{file: strings.Replace(collection, "NAME2", "Baukau", 1), level: "municipality", name: "ADM1"}
	for range 2 {
		if n, err := run(t.Context(), o, url); err != nil || n != 2 {
			t.Fatalf("got %d, %v", n, err)
		}
	}
	if n := count(t, url, `SELECT count(*) FROM boundaries`); n != 2 {
		t.Errorf("%d boundaries after importing twice", n)
	}
	if n := count(t, url, `SELECT count(*) FROM reports WHERE municipality_code = 'TL-DI' AND municipality = 'Dili'`); n != 1 {
		t.Error("the report in the polygon has not got its municipality")
	}
	if n := count(t, url, `SELECT count(*) FROM ledger_events WHERE convert_from(payload, 'UTF8')::jsonb ->> 'municipality' = 'TL-DI'`); n != 1 {
		t.Errorf("%d events name the municipality, want 1", n)
	}
}

// An erased report keeps only names of places that everybody knows.
func TestAnErasedReportLosesNamesThatAreGone(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	_, err = conn.Exec(t.Context(), `INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude, municipality_code, suco, district)
		VALUES (gen_random_uuid(), 'LS-2026-000001', '', 'pothole', -8.55, 125.56, 'TL-DI', 'Becora', 'NAME2')`)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := run(t.Context(), options{file: collection, level: "district", name: "ADM1"}, url); err != nil || n != 2 {
		t.Fatalf("got %d, %v", n, err)
	}
	if n := count(t, url, `SELECT count(*) FROM reports WHERE suco IS NULL AND district = 'NAME2'`); n != 1 {
		t.Error("the report has not the known name alone")
	}
}

const points = `{"type":"FeatureCollection","features":[
	{"type":"Feature","properties":{"name":"Aidak Laran","municipality":"Baukau"},"geometry":{"type":"Point","coordinates":[125.57,-8.55]}},
	{"type":"Feature","properties":{"name":"Fatuhada","municipality":"?"},"geometry":{"type":"Point","coordinates":[125.55,-8.55,12]}}]}`

// An import of names replaces all names of before; when one is wrong, it changes nothing. The municipality of a name is the one in
// the file. If the file has none, it is the one whose boundary holds the place.
func TestImportOfNames(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t)
	if _, err := run(t.Context(), options{file: strings.Replace(collection, "NAME2", "Baucau", 1), level: "municipality", name: "ADM1"}, url); err != nil {
		t.Fatal(err)
	}
	o := options{file: points, level: "locality", name: "name", parent: "municipality"}
	for range 2 {
		if n, err := run(t.Context(), o, url); err != nil || n != 2 {
			t.Fatalf("got %d, %v", n, err)
		}
	}
	for where, want := range map[string]int{"": 2, " WHERE name = 'Aidak Laran' AND municipality_code = 'TL-BA'": 1, " WHERE name = 'Fatuhada' AND municipality_code = 'TL-DI'": 1} {
		if n := count(t, url, `SELECT count(*) FROM place_names`+where); n != want {
			t.Errorf("%d names%s, want %d", n, where, want)
		}
	}
	for _, bad := range []string{collection, strings.Replace(points, "125.57", "1255.7", 1), strings.Replace(points, `"name":"Fatuhada"`, `"name":""`, 1)} {
		if _, err := run(t.Context(), options{file: bad, level: "locality", name: "name"}, url); err == nil {
			t.Errorf("taken: %s", bad)
		}
	}
	if n := count(t, url, `SELECT count(*) FROM place_names`); n != 2 {
		t.Errorf("%d names after failures", n)
	}
}

func TestABrokenFileIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t)
	for name, c := range map[string]struct {
		o    options
		want string
	}{
		"no such property":     {options{file: collection, level: "municipality", name: "NAME_1"}, `feature 1: no property "NAME_1"`},
		"unknown municipality": {options{file: collection, level: "municipality", name: "ADM1"}, `feature 2: "NAME2" is not a known name of a municipality`},
		"not GeoJSON":          {options{file: `[1,2]`, level: "suco", name: "x"}, "not GeoJSON"},
		"unknown level":        {options{file: collection, level: "village", name: "ADM1"}, "-level"},
	} {
		if _, err := run(t.Context(), c.o, url); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := count(t, url, `SELECT count(*) FROM boundaries`); n != 0 {
		t.Errorf("%d boundaries after failures", n)
	}
}

// Files of common programs are read: with heights, a byte order mark, the name of a reference system, holes, and rings the wrong way.
func TestFilesOfCommonProgramsAreRead(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t)
	const file = "\ufeff" + `{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}},"features":[
		{"type":"Feature","properties":{"n":"Heights"},"geometry":{"type":"Polygon","coordinates":[[[125.4,-8.7,0],[125.8,-8.7,0],[125.8,-8.4,12.5],[125.4,-8.4,0],[125.4,-8.7,0]]]}},
		{"type":"Feature","properties":{"n":"Measures"},"geometry":{"type":"Polygon","coordinates":[[[125.4,-8.7,0,1],[125.8,-8.7,0,2],[125.8,-8.4,0,3],[125.4,-8.7,0,1]]]}},
		{"type":"Feature","properties":{"n":"Ring"},"geometry":{"type":"MultiPolygon","coordinates":[[[[126,-9],[126,-8],[127,-8],[127,-9],[126,-9]],[[126.4,-8.6],[126.4,-8.4],[126.6,-8.4],[126.6,-8.6],[126.4,-8.6]]]]}}]}`
	if n, err := run(t.Context(), options{file: file, level: "suco", name: "n"}, url); err != nil || n != 3 {
		t.Fatalf("got %d, %v", n, err)
	}
	if n := count(t, url, `SELECT count(*) FROM boundaries WHERE ST_Covers(area, ST_SetSRID(ST_MakePoint(126.5, -8.5), 4326))`); n != 0 {
		t.Errorf("the hole is covered by %d", n)
	}
	if n := count(t, url, `SELECT count(*) FROM boundaries WHERE ST_Covers(area, ST_SetSRID(ST_MakePoint(126.1, -8.1), 4326))`); n != 1 {
		t.Errorf("the ring around it by %d", n)
	}
}
