package generate

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// filler writes the tables one after another.
type filler struct {
	*dataset
	conn         *pgx.Conn
	passwordHash string
	indexes      []string // definitions that begin dropped; finish makes them again
}

// many is the number of reports from which it is faster to make the indexes at the end.
const many = 20_000

// begin disables foreign keys and the counting triggers: the rows are consistent, and count counts them at the end. The
// triggers of the ledger stay enabled.
func (f *filler) begin(ctx context.Context) error {
	for _, sql := range []string{"SET session_replication_role = replica", "SET maintenance_work_mem = '512MB'", "SET synchronous_commit = off"} {
		if _, err := f.conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
	}
	if f.Reports < many {
		return nil
	}
	const plain = `
		SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
		 WHERE NOT i.indisunique AND i.indrelid::regclass::text IN ('uploads', 'reports', 'report_images', 'report_status_history',
		       'report_comments', 'ai_analyses', 'notifications')
		 ORDER BY 1`
	rows, err := f.conn.Query(ctx, plain)
	if err != nil {
		return fmt.Errorf("list indexes: %w", err)
	}
	var drop []string
	var name, definition string
	_, err = pgx.ForEachRow(rows, []any{&name, &definition}, func() error {
		drop, f.indexes = append(drop, "DROP INDEX "+name), append(f.indexes, definition)
		return nil
	})
	if err != nil {
		return fmt.Errorf("list indexes: %w", err)
	}
	return f.run(ctx, drop...)
}

// finish makes the indexes again, enables the triggers and updates the statistics of the planner.
func (f *filler) finish(ctx context.Context) error {
	return f.run(ctx, append(f.indexes, "RESET session_replication_role", "VACUUM ANALYZE")...)
}

func (f *filler) run(ctx context.Context, statements ...string) error {
	for _, sql := range statements {
		if _, err := f.conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%.60s: %w", sql, err)
		}
	}
	return nil
}

// write takes the values of one row.
type write func(values ...any)

// copy writes the rows that each makes for the numbers from first to n-1.
func (f *filler) copy(ctx context.Context, table string, columns []string, first, n int, each func(i int, row write)) error {
	source := &source{next: max(first, 0), end: n, each: each}
	if _, err := f.conn.CopyFrom(ctx, pgx.Identifier{table}, columns, source); err != nil {
		return fmt.Errorf("write %s: %w", table, err)
	}
	return nil
}

// source implements pgx.CopyFromSource over the rows of one number after another.
type source struct {
	next, end int
	each      func(i int, row write)
	rows      [][]any
	at        int
}

func (s *source) Next() bool {
	s.at++
	for s.at >= len(s.rows) {
		if s.next == s.end {
			return false
		}
		s.rows, s.at = s.rows[:0], 0
		s.each(s.next, func(values ...any) { s.rows = append(s.rows, values) })
		s.next++
	}
	return true
}

func (s *source) Values() ([]any, error) { return s.rows[s.at], nil }

func (s *source) Err() error { return nil }
