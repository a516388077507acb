package testdb

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// lockTimeout is how long AwaitLocked waits for sessions that never come to wait.
const lockTimeout = 30 * time.Second

// AwaitLocked returns once n sessions of db's database wait for a lock. A test that holds the lock itself knows then how
// far they are, whatever the speed of the machine. The test fails when they do not wait after 30 seconds.
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
