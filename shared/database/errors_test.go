package database_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
)

func TestALostConnectionIsUnavailable(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	conn, err := pgx.ConnectConfig(ctx, testdb.Pool(t).Config().ConnConfig.Copy())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, `SELECT 1`); !database.Unavailable(err) {
		t.Errorf("a closed connection: %v", err)
	}
	if _, err := pgproto3.NewFrontend(bytes.NewReader(nil), io.Discard).Receive(); !database.Unavailable(err) {
		t.Errorf("the server hangs up: %v", err)
	}
}
