package migrations_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/testdb"
)

// CREATE OR REPLACE FUNCTION drops the settings of a function. Without this one the counting triggers of reports are planned anew in the
// first updates of each connection, for longer than everything else takes.
func TestCountingTriggersArePlannedOnce(t *testing.T) {
	t.Parallel()
	rows, err := testdb.OwnerPool(t).Query(t.Context(), `
		SELECT proname FROM pg_proc WHERE proname IN ('count_agency', 'count_month', 'count_report')
		   AND proconfig @> '{plan_cache_mode=force_generic_plan}' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(got) != 3 {
		t.Errorf("planned once: %v, want count_agency, count_month and count_report (%v)", got, err)
	}
}
