package database_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

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

func TestThePoolIsBounded(t *testing.T) {
	t.Parallel()
	db, err := database.Open(t.Context(), database.Config{URL: "postgres://db.example/x", MaxConns: 2, ExecMode: "cache_statement"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := db.Config()
	if c.MaxConns != 2 || c.MinConns != 0 {
		t.Errorf("%d to %d connections, want 0 to 2", c.MinConns, c.MaxConns)
	}
	if c.MaxConnIdleTime != 5*time.Minute {
		t.Errorf("a connection may be idle for %s, want five minutes", c.MaxConnIdleTime)
	}
	if c.ConnConfig.ConnectTimeout != 5*time.Second {
		t.Errorf("connecting may take %s, want five seconds", c.ConnConfig.ConnectTimeout)
	}
}

// A database that sleeps gets time to wake up, unless its address says otherwise.
func TestConnectingMayTakeLonger(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]time.Duration{"postgres://db.example/x": 25 * time.Second, "postgres://db.example/x?connect_timeout=7": 7 * time.Second} {
		db, err := database.Open(t.Context(), database.Config{URL: url, ExecMode: "cache_statement", MaxConns: 2, ConnectTimeout: 25 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if got := db.Config().ConnConfig.ConnectTimeout; got != want {
			t.Errorf("%s: connecting may take %s, want %s", url, got, want)
		}
		db.Close()
	}
}
