package importboundaries

import (
	"bytes"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/geocoding"
)

// FuzzFeatures: any file is refused with a reason, or what is loaded of it is
// polygons PostGIS calls valid, on earth, with a name.
func FuzzFeatures(f *testing.F) {
	const head = `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"n":"Caicoli"},"geometry":`
	for _, geometry := range []string{
		`{"type":"Polygon","coordinates":[[[125.4,-8.7],[125.8,-8.7],[125.8,-8.4],[125.4,-8.7]]]}`,
		`{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,1],[1,0],[0,0]]]}`,
		`{"type":"MultiPolygon","coordinates":[[[[0,0],[0,1],[1,1],[0,0]]],[]]}`,
		`{"type":"Point","coordinates":[1,2]}`, `{"type":"GeometryCollection","geometries":[]}`, `null`, `{}`, `{"type":"Polygon","coordinates":[[]]}`,
		`{"type":"Polygon","coordinates":[[[1e308,0],[0,1e308],[1,1],[1e308,0]]]}`, `{"type":"Polygon","coordinates":[[[200,95],[201,95],[201,96],[200,95]]]}`,
	} {
		f.Add([]byte(head + geometry + `}]}`))
	}
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"properties":{"n":{"a":"\u0000"}},"geometry":null}]}`))
	f.Add([]byte(`{"type":"FeatureCollection","features":[]}`))
	f.Add([]byte(`[`))
	conn, err := pgx.Connect(f.Context(), testdb.URL(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = conn.Close(f.Context()) })
	f.Fuzz(func(t *testing.T, file []byte) {
		features, err := read(bytes.NewReader(file))
		if err != nil || len(features) > 20 {
			return
		}
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback(t.Context()) }()
		known := geocoding.NewMunicipalities(tx)
		for _, one := range features {
			if err := insert(t.Context(), tx, known, Options{Level: "suco", Name: "n"}, one); err != nil {
				return
			}
		}
		const broken = `SELECT count(*) FROM boundaries WHERE name = '' OR ST_IsEmpty(area) OR NOT ST_IsValid(area)
			OR ST_XMin(area) < -180 OR ST_XMax(area) > 180 OR ST_YMin(area) < -90 OR ST_YMax(area) > 90`
		var n int
		if err := tx.QueryRow(t.Context(), broken).Scan(&n); err != nil || n > 0 {
			t.Errorf("%d of %d boundaries are no areas on earth: %v", n, len(features), err)
		}
	})
}
