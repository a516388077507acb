package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lafaekstreet/backend/functions/geocode/importboundaries"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
)

// Without a stage a file is read here, with the address of the database alone.
func TestAFileIsImportedWithoutStorage(t *testing.T) {
	t.Parallel()
	const polygon = `{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "Dili"},
		"geometry": {"type": "Polygon", "coordinates": [[[125.5, -8.6], [125.7, -8.6], [125.7, -8.5], [125.5, -8.5], [125.5, -8.6]]]}}]}`
	file := filepath.Join(t.TempDir(), "municipalities.geojson")
	if err := os.WriteFile(file, []byte(polygon), 0o600); err != nil {
		t.Fatal(err)
	}
	env, o := config.Env{"DATABASE_URL": testdb.URL(t)}, importboundaries.Options{Level: "municipality", Name: "name"}
	a, err := importHere(t.Context(), env, file, o)
	if err != nil || a.Output != "1 places of level municipality\n" {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := importHere(t.Context(), env, file+".gz", o); err == nil {
		t.Error("a file that does not exist is imported")
	}
}
