package database

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Tx is a transaction that needs few round trips. It begins together with its first statement. As a Pipeline it keeps added
// statements (Queue, Ask) until the next round trip, and it commits together with the last of them. Kept statements run
// before the next query, in the order in which they were added: a transaction always reads what it has written.
//
// It is for one goroutine, and ends with the function that InTx calls. Outside of this package most code meets it as
// the embedded part of outbox.Tx, which adds messages.
type Tx struct {
	pool *pgxpool.Pool
	// settings is that of DB.
	settings string
	// conn is nil before the first statement.
	conn *pgxpool.Conn
	// begun reports that "begin" was sent.
	begun bool
	kept  []*pgx.QueuedQuery
	last  last
	local map[any]any
}

var (
	_ Querier  = (*Tx)(nil)
	_ Pipeline = (*Tx)(nil)
)

// Queue implements Pipeline: the statement runs with the next round trip, at the latest with the commit.
func (tx *Tx) Queue(sql string, args ...any) { tx.add(statement(sql, args)) }

func (tx *Tx) add(q *pgx.QueuedQuery) { tx.kept = append(tx.kept, q) }

// last are statements that run at the end of a transaction.
type last struct{ statements []*pgx.QueuedQuery }

// Queue implements Pipeline.
func (l *last) Queue(sql string, args ...any) { l.add(statement(sql, args)) }

func (l *last) add(q *pgx.QueuedQuery) { l.statements = append(l.statements, q) }

// Last takes statements that run after all others, in the round trip of the commit. It is for a statement that locks a row
// which all transactions need. Statements of the transaction do not see its effect.
func (tx *Tx) Last() Pipeline { return &tx.last }

// Local has values that callers keep for the length of the transaction, under keys of their own types.
func (tx *Tx) Local() map[any]any {
	if tx.local == nil {
		tx.local = make(map[any]any)
	}
	return tx.local
}

// Flush runs the statements that are kept now, in one round trip; without any it does nothing.
func (tx *Tx) Flush(ctx context.Context) error {
	if len(tx.kept) == 0 {
		return nil
	}
	return tx.SendBatch(ctx, &pgx.Batch{}).Close()
}

// lead returns what has to be sent before the next statement.
func (tx *Tx) lead() []*pgx.QueuedQuery {
	out := tx.kept
	if !tx.begun {
		begin := []*pgx.QueuedQuery{statement("begin", nil)}
		if tx.settings != "" {
			begin = append(begin, statement(tx.settings, nil))
		}
		out = append(begin, out...)
	}
	tx.kept, tx.begun = nil, true
	return out
}

// SendBatch implements Querier.
func (tx *Tx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := tx.connect(ctx); err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	lead := tx.lead()
	if len(lead) == 0 {
		return tx.conn.SendBatch(ctx, b)
	}
	return sendAfter(ctx, tx.conn, lead, b)
}

// sendAfter sends lead and b in one round trip. The results are those of b; if a statement of lead fails, all of them fail.
func sendAfter(ctx context.Context, conn sender, lead []*pgx.QueuedQuery, b *pgx.Batch) pgx.BatchResults {
	all := append(lead, b.QueuedQueries...)
	results := conn.SendBatch(ctx, &pgx.Batch{QueuedQueries: all})
	for i, q := range lead {
		if err := q.Fn(results); err != nil {
			for _, rest := range all[i+1:] {
				rest.Fn = nil // its result would come after the first failure
			}
			return pgx.FailedBatchResults(b, failed(results, err))
		}
	}
	return results
}

// sender is a pool or a connection.
type sender interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// failed closes a batch that failed with err. It returns err, joined with the error of closing.
func failed(results pgx.BatchResults, err error) error {
	if other := results.Close(); other != nil && !errors.Is(err, other) {
		return errors.Join(err, other)
	}
	return err
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

// alone reports whether no statement has to be sent before the next one.
func (tx *Tx) alone() bool { return tx.begun && len(tx.kept) == 0 }

// Exec implements Querier.
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if tx.alone() {
		return tx.conn.Exec(ctx, sql, args...)
	}
	return execOne(tx.SendBatch(ctx, one(sql, args)))
}

// Query implements Querier.
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if tx.alone() {
		return tx.conn.Query(ctx, sql, args...)
	}
	return queryOne(tx.SendBatch(ctx, one(sql, args)))
}

// QueryRow implements Querier.
func (tx *Tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if tx.alone() {
		return tx.conn.QueryRow(ctx, sql, args...)
	}
	return rowOfOne(tx.SendBatch(ctx, one(sql, args)))
}

// CopyFrom copies rows into a table by the COPY protocol and returns how many.
func (tx *Tx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, source pgx.CopyFromSource) (int64, error) {
	if !tx.alone() {
		if err := tx.SendBatch(ctx, &pgx.Batch{}).Close(); err != nil {
			return 0, err
		}
	}
	return tx.conn.CopyFrom(ctx, table, columns, source)
}

// commit commits the transaction. One without a statement never began.
func (tx *Tx) commit(ctx context.Context) error {
	tx.kept = append(tx.kept, tx.last.statements...)
	if !tx.begun && len(tx.kept) == 0 {
		return nil
	}
	tag, err := tx.Exec(ctx, "commit")
	if err == nil && tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return err
}

// end gives the connection back, after a rollback unless the transaction was committed.
func (tx *Tx) end(ctx context.Context) {
	if tx.conn == nil {
		return
	}
	if raw := tx.conn.Conn(); !raw.IsClosed() && raw.PgConn().TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = raw.Exec(ctx, "rollback") // if it fails, the pool closes the connection, and the server rolls back
	}
	tx.conn.Release()
	tx.conn = nil
}

// InTx runs f in a transaction: committed when f returns nil, else rolled back.
// A deadlock or serialization failure runs f again, up to three times in all, so
// f must have no effect outside its transaction.
func (db *DB) InTx(ctx context.Context, f func(tx *Tx) error) error {
	const attempts = 3
	var err error
	for range attempts {
		err = db.once(ctx, f)
		if !retryable(err) {
			return err
		}
	}
	return err
}

func (db *DB) once(ctx context.Context, f func(tx *Tx) error) error {
	tx := &Tx{pool: db.Pool, settings: db.settings}
	defer tx.end(ctx) // also when f panics
	if err := f(tx); err != nil {
		return err
	}
	return tx.commit(ctx)
}
