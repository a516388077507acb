package database_test

import (
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/database"
)

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
