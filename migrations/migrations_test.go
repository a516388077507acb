package migrations_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/migrations"
)

// Two branches may land in the other order of their numbers: a database that has the higher one gets the lower one too.
func TestAppliesWhatLandedLater(t *testing.T) {
	t.Parallel()
	address := testdb.URL(t)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "DELETE FROM goose_db_version WHERE version_id = 18"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "DROP INDEX report_comments_author_idx"); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Apply(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	var there bool
	if err := conn.QueryRow(t.Context(), "SELECT to_regclass('report_comments_author_idx') IS NOT NULL").Scan(&there); err != nil || !there {
		t.Errorf("the index is there: %v (%v)", there, err)
	}
}
