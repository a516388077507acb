package database_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
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
	var added *database.Ask[int64]
	err := db.InTx(t.Context(), func(tx *database.Tx) error {
		tx.Queue(`INSERT INTO things VALUES (1, 'a')`)
		var n int
		if err := tx.QueryRow(t.Context(), `SELECT count(*) FROM things`).Scan(&n); err != nil || n != 1 {
			t.Errorf("a transaction sees %d of its own rows, %v", n, err)
		}
		added = database.AskAffected(tx, `INSERT INTO things VALUES (2, 'b'), (3, 'c')`)
		return nil
	})
	want := []string{
		`begin; INSERT INTO things VALUES (1, 'a'); SELECT count(*) FROM things`,
		`INSERT INTO things VALUES (2, 'b'), (3, 'c'); commit`,
	}
	if err != nil || added.Get() != 2 || !slices.Equal(r.all, want) {
		t.Errorf("got %v, %d added, %q", err, added.Get(), r.all)
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
		var seen *database.Ask[int]
		err := db.InTx(t.Context(), func(tx *database.Tx) error {
			tx.Queue(`INSERT INTO things VALUES (1, 'a')`)
			seen = database.AskRow(tx, pgx.RowTo[int], `SELECT count(*) FROM things`)
			if !early {
				return nil
			}
			if err := tx.Flush(t.Context()); err != nil || seen.Get() != 1 {
				t.Errorf("after a flush: saw %d, %v", seen.Get(), err)
			}
			return tx.Flush(t.Context()) // nothing is left to run
		})
		want := []string{`begin; INSERT INTO things VALUES (1, 'a'); SELECT count(*) FROM things; commit`}
		if early {
			want = []string{`begin; INSERT INTO things VALUES (1, 'a'); SELECT count(*) FROM things`, `commit`}
		}
		if err != nil || seen.Get() != 1 || !slices.Equal(r.all, want) {
			t.Errorf("got %v, saw %d, %q", err, seen.Get(), r.all)
		}
	}
}

// Whatever statement comes next, those queued run before it, and it fails with the error of the first that failed.
func TestQueuedStatementsRunBeforeTheNext(t *testing.T) {
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
					return db.InTx(t.Context(), func(tx *database.Tx) error {
						if first == "something" {
							if _, err := tx.Exec(t.Context(), `SELECT 1`); err != nil {
								return err
							}
						}
						tx.Queue(`INSERT INTO things VALUES ($1, 'a')`, id)
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
	err := db.InTx(t.Context(), func(tx *database.Tx) error {
		if _, err := tx.Exec(t.Context(), `INSERT INTO things VALUES (1, 'a')`); err != nil {
			return err
		}
		tx.Queue(`INSERT INTO things VALUES (2, 'b')`)
		return wrong
	})
	if !errors.Is(err, wrong) || count(t, db) != 0 {
		t.Errorf("got %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = db.InTx(t.Context(), func(tx *database.Tx) error {
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
	if err := db.InTx(t.Context(), func(*database.Tx) error { return nil }); err != nil || len(r.all) != 0 {
		t.Errorf("nothing to do: %v, %q", err, r.all)
	}
}

// A statement that failed and was overlooked still takes everything back.
func TestACommitThatIsNoneIsAnError(t *testing.T) {
	t.Parallel()
	db, _ := transactions(t)
	err := db.InTx(t.Context(), func(tx *database.Tx) error {
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

// A deadlock or a serialization failure is worth another attempt; nothing else is.
func TestRetries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code               string
		failures, attempts int
		works              bool
	}{
		{"40P01", 1, 2, true},
		{"40001", 2, 3, true},
		{"40P01", 9, 3, false},
		{"23505", 1, 1, false},
	} {
		t.Run(c.code, func(t *testing.T) {
			t.Parallel()
			db, _ := transactions(t)
			attempts := 0
			err := db.InTx(t.Context(), func(tx *database.Tx) error {
				attempts++
				tx.Queue(`INSERT INTO things VALUES ($1, 'a')`, attempts)
				if attempts <= c.failures {
					tx.Queue(`DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '` + c.code + `'; END $$`)
				}
				return nil
			})
			if attempts != c.attempts || (err == nil) != c.works {
				t.Errorf("%d attempts and %v, want %d", attempts, err, c.attempts)
			}
			want := 0
			if c.works {
				want = 1
			}
			if n := count(t, db); n != want {
				t.Errorf("%d rows, want %d", n, want)
			}
		})
	}
}

// Two transactions that lock two rows in opposite orders both succeed.
func TestADeadlockIsRetried(t *testing.T) {
	t.Parallel()
	config, err := pgxpool.ParseConfig(testdb.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.RuntimeParams["deadlock_timeout"] = "100ms"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	db := &database.DB{Pool: pool}
	if _, err := pool.Exec(t.Context(), `CREATE TABLE things (id integer PRIMARY KEY, name text); INSERT INTO things VALUES (1, ''), (2, '')`); err != nil {
		t.Fatal(err)
	}
	var locked, ended sync.WaitGroup // locked: both have their first row
	locked.Add(2)
	var done [2]chan struct{}
	done[0], done[1] = make(chan struct{}), make(chan struct{})
	for i, order := range [][2]int{{1, 2}, {2, 1}} {
		ended.Go(func() {
			defer close(done[i])
			first := true
			err := db.InTx(t.Context(), func(tx *database.Tx) error {
				if !first { // the server may let the two collide again, and again
					<-done[1-i]
				}
				const lock = `UPDATE things SET name = name || 'x' WHERE id = $1`
				if _, err := tx.Exec(t.Context(), lock, order[0]); err != nil {
					return err
				}
				if first {
					first = false
					locked.Done()
					locked.Wait()
				}
				_, err := tx.Exec(t.Context(), lock, order[1])
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	ended.Wait()
	var changes string
	if err := pool.QueryRow(t.Context(), `SELECT string_agg(name, ',' ORDER BY id) FROM things`).Scan(&changes); err != nil || changes != "xx,xx" {
		t.Errorf("got %q, %v", changes, err)
	}
}
