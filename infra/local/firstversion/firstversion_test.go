package firstversion_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/firstversion"
)

// Every report that somebody holds the id of is in the database.
func TestDatabaseHasTheReports(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), firstversion.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for name, id := range firstversion.Hold(t).Reports {
		var events int
		if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM ledger_events WHERE report_id = $1`, id).Scan(&events); err != nil || events == 0 {
			t.Errorf("%s has %d events (%v)", name, events, err)
		}
	}
}
