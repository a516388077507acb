package testdb

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// lockTimeout is when AwaitLocked gives up.
const lockTimeout = 30 * time.Second

// AwaitLocked returns when n sessions of the database of db wait for a lock. With it a test that holds a lock waits until
// the others have come as far as that lock, on a machine of any speed. It fails the test after 30 seconds.
func AwaitLocked(t testing.TB, db *pgxpool.Pool, n int) {
	t.Helper()
	const q = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	waiting := 0
	for end := time.Now().Add(lockTimeout); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if err := db.QueryRow(t.Context(), q).Scan(&waiting); err != nil {
			t.Fatalf("count sessions that wait for a lock: %v", err)
		}
		if waiting >= n {
			return
		}
	}
	t.Fatalf("%d sessions wait for a lock, want %d", waiting, n)
}
