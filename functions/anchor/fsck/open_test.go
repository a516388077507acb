package fsck_test

import (
	"testing"

	"github.com/lafaekstreet/backend/functions/anchor/fsck"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
)

// The limit of the functions, which migrate knows too, is too short for a count of all events.
func TestAStatementMayTakeAsLongAsTheCheck(t *testing.T) {
	t.Parallel()
	_, db, err := fsck.Open(t.Context(), config.Env{"DATABASE_URL": testdb.URL(t), "DATABASE_STATEMENT_TIMEOUT": "20s"}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var limit string
	if err := db.QueryRow(t.Context(), `SELECT current_setting('statement_timeout')`).Scan(&limit); err != nil || limit != "14min" {
		t.Errorf("a statement may take %s, %v", limit, err)
	}
}
