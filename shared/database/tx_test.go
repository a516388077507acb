package database_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
)

// trips records what goes to the database, one entry a round trip.
type trips struct {
	mu  sync.Mutex
	all []string
}

func (r *trips) add(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, what)
}

func (r *trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	r.add(d.SQL)
	return ctx
}
func (r *trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (r *trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	var all []string
	for _, q := range d.Batch.QueuedQueries {
		all = append(all, q.SQL)
	}
	r.add(strings.Join(all, "; "))
	return ctx
}
func (r *trips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (r *trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

func transactions(t *testing.T) (*database.DB, *trips) {
	t.Helper()
	config, err := pgxpool.ParseConfig(testdb.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	r := &trips{}
	config.ConnConfig.Tracer = r
	config.MaxConns = 1 // a connection that is not given back stops the test
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, err := pool.Exec(t.Context(), `CREATE TABLE things (id integer PRIMARY KEY, name text)`); err != nil {
		t.Fatal(err)
	}
	r.all = nil
	return &database.DB{Pool: pool}, r
}

func count(t *testing.T, db *database.DB) int {
	t.Helper()
	var n int
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM things`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestBeginAndCommitCostNoRoundTrip(t *testing.T) {
	t.Parallel()
	db, r := transactions(t)
	added := 0
	err := db.Transact(t.Context(), func(tx *database.Tx) error {
		tx.Later(`INSERT INTO things VALUES (1, 'a')`)
		var n int
		if err := tx.QueryRow(t.Context(), `SELECT count(*) FROM things`).Scan(&n); err != nil || n != 1 {
			t.Errorf("a transaction sees %d of its own rows, %v", n, err)
		}
		tx.Later(`INSERT INTO things VALUES (2, 'b'), (3, 'c')`).Exec(func(tag pgconn.CommandTag) error {
			added = int(tag.RowsAffected())
			return nil
		})
		return nil
	})
	want := []string{
		`begin; INSERT INTO things VALUES (1, 'a'); SELECT count(*) FROM things`,
		`INSERT INTO things VALUES (2, 'b'), (3, 'c'); commit`,
	}
	if err != nil || added != 2 || !slices.Equal(r.all, want) {
		t.Errorf("got %v, %d added, %q", err, added, r.all)
	}
	if n := count(t, db); n != 3 {
		t.Errorf("%d rows", n)
	}
}

// What is read last comes with the commit, or as soon as it is needed.
func TestReadingWithTheCommit(t *testing.T) {
	t.Parallel()
	for _, early := range []bool{false, true} {
		db, r := transactions(t)
		seen := 0
		err := db.Transact(t.Context(), func(tx *database.Tx) error {
			tx.Later(`INSERT INTO things VALUES (1, 'a')`)
			b := &pgx.Batch{}
			b.Queue(`SELECT count(*) FROM things`).QueryRow(func(row pgx.Row) error { return row.Scan(&seen) })
			tx.LaterAll(b)
			if !early {
				return nil
			}
			if err := tx.Flush(t.Context()); err != nil || seen != 1 {
				t.Errorf("after a flush: saw %d, %v", seen, err)
			}
			return tx.Flush(t.Context()) // nothing is left to run
		})
		want := []string{`begin; INSERT INTO things VALUES (1, 'a'); SELECT count(*) FROM things; commit`}
		if early {
			want = []string{`begin; INSERT INTO things VALUES (1, 'a'); SELECT count(*) FROM things`, `commit`}
		}
		if err != nil || seen != 1 || !slices.Equal(r.all, want) {
			t.Errorf("got %v, saw %d, %q", err, seen, r.all)
		}
	}
}

// Whatever a transaction is asked with, what was held back comes first, and its failure is told there.
func TestHeldBackStatementsRunBeforeTheNext(t *testing.T) {
	t.Parallel()
	ask := map[string]func(ctx context.Context, tx *database.Tx) error{
		"exec": func(ctx context.Context, tx *database.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE things SET name = 'x'`)
			return err
		},
		"query": func(ctx context.Context, tx *database.Tx) error {
			rows, err := tx.Query(ctx, `SELECT id FROM things`)
			if err != nil {
				return err
			}
			_, err = pgx.CollectRows(rows, pgx.RowTo[int])
			return err
		},
		"row": func(ctx context.Context, tx *database.Tx) error {
			var id int
			return tx.QueryRow(ctx, `SELECT max(id) FROM things`).Scan(&id)
		},
		"batch": func(ctx context.Context, tx *database.Tx) error {
			b := &pgx.Batch{}
			b.Queue(`SELECT 1`)
			return tx.SendBatch(ctx, b).Close()
		},
		"copy": func(ctx context.Context, tx *database.Tx) error {
			_, err := tx.CopyFrom(ctx, pgx.Identifier{"things"}, []string{"id"}, pgx.CopyFromRows([][]any{{7}}))
			return err
		},
		"commit": func(context.Context, *database.Tx) error { return nil },
	}
	for name, f := range ask {
		for _, first := range []string{"nothing", "something"} {
			t.Run(name+" after "+first, func(t *testing.T) {
				t.Parallel()
				db, _ := transactions(t)
				run := func(id any) error {
					return db.Transact(t.Context(), func(tx *database.Tx) error {
						if first == "something" {
							if _, err := tx.Exec(t.Context(), `SELECT 1`); err != nil {
								return err
							}
						}
						tx.Later(`INSERT INTO things VALUES ($1, 'a')`, id)
						return f(t.Context(), tx)
					})
				}
				if err := run(1); err != nil {
					t.Errorf("got %v", err)
				}
				before := count(t, db)
				err := run(1)
				if !database.Violates(err, "things_pkey") || !strings.Contains(err.Error(), "INSERT INTO things") {
					t.Errorf("the second time: %v", err)
				}
				if n := count(t, db); n != before {
					t.Errorf("a refused transaction left %d rows, %d before", n, before)
				}
			})
		}
	}
}

func TestATransactionThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	db, r := transactions(t)
	wrong := errors.New("wrong")
	err := db.Transact(t.Context(), func(tx *database.Tx) error {
		if _, err := tx.Exec(t.Context(), `INSERT INTO things VALUES (1, 'a')`); err != nil {
			return err
		}
		tx.Later(`INSERT INTO things VALUES (2, 'b')`)
		return wrong
	})
	if !errors.Is(err, wrong) || count(t, db) != 0 {
		t.Errorf("got %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = db.Transact(t.Context(), func(tx *database.Tx) error {
			if _, err := tx.Exec(t.Context(), `INSERT INTO things VALUES (3, 'c')`); err != nil {
				return err
			}
			panic("on the way")
		})
	}()
	if n := count(t, db); n != 0 {
		t.Errorf("a panic left %d rows", n)
	}
	r.all = nil
	if err := db.Transact(t.Context(), func(*database.Tx) error { return nil }); err != nil || len(r.all) != 0 {
		t.Errorf("nothing to do: %v, %q", err, r.all)
	}
}

// A statement that failed and was overlooked still takes everything back.
func TestACommitThatIsNoneIsAnError(t *testing.T) {
	t.Parallel()
	db, _ := transactions(t)
	err := db.Transact(t.Context(), func(tx *database.Tx) error {
		if _, err := tx.Exec(t.Context(), `INSERT INTO things VALUES (1, 'a')`); err != nil {
			return err
		}
		_, _ = tx.Exec(t.Context(), `SELECT 1 / 0`)
		return nil
	})
	if !errors.Is(err, pgx.ErrTxCommitRollback) || count(t, db) != 0 {
		t.Errorf("got %v", err)
	}
}
