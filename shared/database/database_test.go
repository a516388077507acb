package database_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
)

// A statement that takes longer than Config.StatementTimeout ends, and counts as the database being unavailable.
func TestStatementTimeout(t *testing.T) {
	t.Parallel()
	c := database.Config{URL: testdb.URL(t), MaxConns: 1, ExecMode: "cache_statement", StatementTimeout: 100 * time.Millisecond}
	db, err := database.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	_, err = db.Exec(t.Context(), `SELECT pg_sleep(60)`)
	var cause *pgconn.PgError
	if !errors.As(err, &cause) || cause.Code != "57014" || !database.Unavailable(err) {
		t.Errorf("got %v, want a statement timeout", err)
	}
}
