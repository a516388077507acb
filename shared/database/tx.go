package database

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Tx is a transaction that spends few round trips: it begins together with its first statement, holds back the
// statements whose result nobody waits for (Later), and commits together with the last of those. What is held back
// runs before whatever is asked next, in the order written, so a transaction always reads what it wrote.
//
// It is used by one goroutine, and ends with the function it was made for.
type Tx struct {
	pool *pgxpool.Pool
	// conn is nil before the first statement.
	conn *pgxpool.Conn
	// begun tells that "begin" was sent.
	begun bool
	later []*pgx.QueuedQuery
}

var _ pgx.Tx = (*Tx)(nil)

var errNotHere = errors.New("not in a transaction of this kind")

// Later has a statement run with the next round trip, at the latest with the commit. Its failure is that of whatever
// is asked next. The returned query takes a function that is called with the result.
func (tx *Tx) Later(sql string, args ...any) *pgx.QueuedQuery {
	q := &pgx.QueuedQuery{SQL: sql, Arguments: args}
	tx.later = append(tx.later, q)
	return q
}

// LaterAll is Later for all of b.
func (tx *Tx) LaterAll(b *pgx.Batch) { tx.later = append(tx.later, b.QueuedQueries...) }

// Flush has what is held back run now.
func (tx *Tx) Flush(ctx context.Context) error {
	if len(tx.later) == 0 {
		return nil
	}
	return tx.SendBatch(ctx, &pgx.Batch{}).Close()
}

// Later is the same for any querier: outside of a Tx the statement runs at once.
func Later(ctx context.Context, q Querier, sql string, args ...any) error {
	if tx, ok := q.(interface {
		Later(sql string, args ...any) *pgx.QueuedQuery
	}); ok {
		tx.Later(sql, args...)
		return nil
	}
	_, err := q.Exec(ctx, sql, args...)
	return err
}

// lead is what has to be sent before the next statement.
func (tx *Tx) lead() []*pgx.QueuedQuery {
	out := tx.later
	if !tx.begun {
		out = append([]*pgx.QueuedQuery{{SQL: "begin"}}, out...)
	}
	tx.later, tx.begun = nil, true
	return out
}

// SendBatch implements pgx.Tx.
func (tx *Tx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := tx.connect(ctx); err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	lead := tx.lead()
	if len(lead) == 0 {
		return tx.conn.SendBatch(ctx, b)
	}
	results := tx.conn.SendBatch(ctx, &pgx.Batch{QueuedQueries: append(lead, b.QueuedQueries...)})
	for _, q := range lead {
		var err error
		if q.Fn != nil {
			err = q.Fn(results)
		} else {
			_, err = results.Exec()
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", head(q.SQL), err)
			return pgx.FailedBatchResults(b, failed(results, err))
		}
	}
	return results
}

// failed ends a batch that failed with err, and returns that with whatever else went wrong.
func failed(results pgx.BatchResults, err error) error {
	if other := results.Close(); other != nil && !errors.Is(err, other) {
		return errors.Join(err, other)
	}
	return err
}

// head is how a statement that was held back is named in an error.
func head(sql string) string {
	words := strings.Fields(sql)
	return strings.Join(words[:min(len(words), 3)], " ")
}

func (tx *Tx) connect(ctx context.Context) error {
	if tx.conn != nil {
		return nil
	}
	conn, err := tx.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	tx.conn = conn
	return nil
}

// alone reports whether the next statement goes by itself, with nothing to be sent before it.
func (tx *Tx) alone() bool { return tx.begun && len(tx.later) == 0 }

// Exec implements pgx.Tx.
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if tx.alone() {
		return tx.conn.Exec(ctx, sql, args...)
	}
	b := &pgx.Batch{}
	b.Queue(sql, args...)
	results := tx.SendBatch(ctx, b)
	tag, err := results.Exec()
	if err != nil {
		return tag, failed(results, err)
	}
	return tag, results.Close()
}

// Query implements pgx.Tx.
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if tx.alone() {
		return tx.conn.Query(ctx, sql, args...)
	}
	b := &pgx.Batch{}
	b.Queue(sql, args...)
	results := tx.SendBatch(ctx, b)
	rows, err := results.Query()
	return &batchRows{Rows: rows, results: results}, err
}

// QueryRow implements pgx.Tx.
func (tx *Tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if tx.alone() {
		return tx.conn.QueryRow(ctx, sql, args...)
	}
	b := &pgx.Batch{}
	b.Queue(sql, args...)
	results := tx.SendBatch(ctx, b)
	return &batchRow{Row: results.QueryRow(), results: results}
}

// CopyFrom implements pgx.Tx.
func (tx *Tx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, source pgx.CopyFromSource) (int64, error) {
	if !tx.alone() {
		if err := tx.SendBatch(ctx, &pgx.Batch{}).Close(); err != nil {
			return 0, err
		}
	}
	return tx.conn.CopyFrom(ctx, table, columns, source)
}

// commit ends the transaction for good. One without a statement never began.
func (tx *Tx) commit(ctx context.Context) error {
	if !tx.begun && len(tx.later) == 0 {
		return nil
	}
	tag, err := tx.Exec(ctx, "commit")
	if err == nil && tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return err
}

// end gives the connection back; a transaction that was not committed is taken back first.
func (tx *Tx) end(ctx context.Context) {
	if tx.conn == nil {
		return
	}
	if raw := tx.conn.Conn(); !raw.IsClosed() && raw.PgConn().TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = raw.Exec(ctx, "rollback") // a connection that is not idle then is closed by the pool, and the server takes it back
	}
	tx.conn.Release()
	tx.conn = nil
}

// Begin implements pgx.Tx; there are no transactions within.
func (tx *Tx) Begin(context.Context) (pgx.Tx, error) { return nil, errNotHere }

// Commit implements pgx.Tx; the transaction ends with its function.
func (tx *Tx) Commit(context.Context) error { return errNotHere }

// Rollback implements pgx.Tx; a function that fails is taken back.
func (tx *Tx) Rollback(context.Context) error { return errNotHere }

// Prepare implements pgx.Tx; statements are prepared by themselves.
func (tx *Tx) Prepare(context.Context, string, string) (*pgconn.StatementDescription, error) {
	return nil, errNotHere
}

// LargeObjects implements pgx.Tx; there are none.
func (tx *Tx) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }

// Conn implements pgx.Tx. It is nil before the first statement, and not for statements: those held back would be late.
func (tx *Tx) Conn() *pgx.Conn {
	if tx.conn == nil {
		return nil
	}
	return tx.conn.Conn()
}

// batchRow is a row whose batch ends with it.
type batchRow struct {
	pgx.Row
	results pgx.BatchResults
}

// Scan implements pgx.Row.
func (r *batchRow) Scan(dest ...any) error {
	if err := r.Row.Scan(dest...); err != nil {
		return failed(r.results, err)
	}
	return r.results.Close()
}

// batchRows are rows whose batch ends with them.
type batchRows struct {
	pgx.Rows
	results pgx.BatchResults
	err     error
}

// Next implements pgx.Rows.
func (r *batchRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Close implements pgx.Rows.
func (r *batchRows) Close() {
	r.Rows.Close()
	if err := r.Rows.Err(); err != nil {
		r.err = failed(r.results, err)
		return
	}
	r.err = r.results.Close()
}

// Err implements pgx.Rows.
func (r *batchRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}
