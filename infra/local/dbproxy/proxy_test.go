package dbproxy_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/dbproxy"
	"github.com/lafaekstreet/backend/infra/local/testdb"
)

// What passes is written down as it was sent, and doing it again has the same effect.
func TestRecordsAndReplays(t *testing.T) {
	t.Parallel()
	address := testdb.URL(t)
	listener, err := dbproxy.Start(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), listener.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), "CREATE TABLE said (what text, n int)"); err != nil {
		t.Fatal(err)
	}
	request := func() {
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), "INSERT INTO said VALUES ($1, $2)", "bondia", nil); err != nil {
				return err
			}
			batch := &pgx.Batch{}
			batch.Queue("SELECT count(*) FROM said WHERE what = $1", "bondia")
			batch.Queue("SELECT n FROM said")
			return tx.SendBatch(t.Context(), batch).Close()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	request() // statements are prepared
	listener.Take()
	request()
	roundTrips := listener.Take()
	var sizes []int
	for _, f := range roundTrips {
		sizes = append(sizes, len(f))
	}
	if len(roundTrips) != 4 || sizes[0] != 1 || sizes[1] != 1 || sizes[2] != 2 || sizes[3] != 1 {
		t.Fatalf("%d round trips of %v statements, want 1, 1, 2, 1", len(roundTrips), sizes)
	}
	if insert := roundTrips[1][0]; string(insert.Args[0]) != "bondia" || insert.Args[1] != nil {
		t.Errorf("arguments of the insert are %q", insert.Args)
	}

	replay, err := dbproxy.NewReplay(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	if err := replay.Prepare(t.Context(), roundTrips); err != nil {
		t.Fatal(err)
	}
	if err := replay.Run(t.Context(), roundTrips); err != nil {
		t.Fatal(err)
	}
	if err := replay.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM said").Scan(&n); err != nil || n != 3 {
		t.Errorf("%d rows (%v), want 3: two requests and a replay", n, err)
	}
}
