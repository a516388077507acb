package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/testdb"
)

const collection = `{"type":"FeatureCollection","features":[
	{"type":"Feature","properties":{"ADM1":"Díli"},"geometry":{"type":"Polygon","coordinates":[[[125.4,-8.7],[125.8,-8.7],[125.8,-8.4],[125.4,-8.4],[125.4,-8.7]]]}},
	{"type":"Feature","properties":{"ADM1":"NAME2"},"geometry":{"type":"Polygon","coordinates":[[[126,-8.7],[126.5,-8.7],[126.5,-8.4],[126,-8.4],[126,-8.7]]]}}]}`

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "boundaries.geojson")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
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
	_, err = conn.Exec(t.Context(), `INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude)
		VALUES (gen_random_uuid(), 'LS-2026-000001', '', 'pothole', -8.55, 125.56)`)
	if err != nil {
		t.Fatal(err)
	}
	o := options{file: write(t, strings.Replace(collection, "NAME2", "Baukau", 1)), level: "municipality", name: "ADM1"}
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
}

func TestABrokenFileSaysWhatAndChangesNothing(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t)
	for name, c := range map[string]struct {
		o    options
		want string
	}{
		"no such property":     {options{file: write(t, collection), level: "municipality", name: "NAME_1"}, `feature 1: no property "NAME_1"`},
		"unknown municipality": {options{file: write(t, collection), level: "municipality", name: "ADM1"}, `feature 2: "NAME2" is no municipality`},
		"not GeoJSON":          {options{file: write(t, `[1,2]`), level: "suco", name: "x"}, "not GeoJSON"},
		"unknown level":        {options{file: write(t, collection), level: "village", name: "ADM1"}, "-level"},
		"no file":              {options{file: "/nowhere", level: "suco", name: "x"}, "no such file"},
	} {
		if _, err := run(t.Context(), c.o, url); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := count(t, url, `SELECT count(*) FROM boundaries`); n != 0 {
		t.Errorf("%d boundaries after failures", n)
	}
}
