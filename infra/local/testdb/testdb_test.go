package testdb_test

import (
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testdb"
)

func TestPoolWorksAsApplicationRole(t *testing.T) {
	t.Parallel()
	var role, database string
	if err := testdb.Pool(t).QueryRow(t.Context(), "SELECT current_user, current_database()").Scan(&role, &database); err != nil {
		t.Fatal(err)
	}
	if role != "lafaek_app" {
		t.Errorf("role is %q, want lafaek_app", role)
	}
}

func TestDatabasesAreSeparate(t *testing.T) {
	t.Parallel()
	first, second := testdb.OwnerPool(t), testdb.OwnerPool(t)
	if _, err := first.Exec(t.Context(), "CREATE TABLE only_here (id int)"); err != nil {
		t.Fatal(err)
	}
	var there bool
	if err := second.QueryRow(t.Context(), "SELECT to_regclass('only_here') IS NOT NULL").Scan(&there); err != nil {
		t.Fatal(err)
	}
	if there {
		t.Error("a table made in the database of one test is in that of another")
	}
}

func TestDatabaseHasPostGISVectorAndTrigram(t *testing.T) {
	t.Parallel()
	var metres, distance, similar float64
	err := testdb.Pool(t).QueryRow(t.Context(), `
		SELECT ST_Distance('POINT(125.57 -8.55)'::geography, 'POINT(125.58 -8.55)'::geography),
		       '[1,2,3]'::vector <=> '[1,2,4]'::vector,
		       similarity('Dili', 'dilli')`).Scan(&metres, &distance, &similar)
	if err != nil {
		t.Fatal(err)
	}
	if metres < 1000 || metres > 1200 || distance <= 0 || similar <= 0.3 {
		t.Errorf("got %.0f m, cosine distance %.4f, similarity %.2f", metres, distance, similar)
	}
}

func BenchmarkURL(b *testing.B) {
	for b.Loop() {
		testdb.OwnerPool(b)
	}
}
