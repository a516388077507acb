package generate

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// filler writes tables over one connection.
type filler struct {
	*dataset
	conn         *pgx.Conn
	passwordHash string
}

// connections is the number of fillers that work at the same time.
const connections = 2

// task is a part of the work. Tasks of the same phase do not need each other's rows.
type task struct {
	name string
	run  func(*filler, context.Context) error
}

// statements is a task of SQL.
func statements(name string, sql ...string) task {
	return task{name, func(f *filler, ctx context.Context) error { return f.run(ctx, sql...) }}
}

// chunk is the number of reports that are made, and written to each table, at once.
const chunk = 20_000

// rows are the tasks that write the generated rows.
func (w *dataset) rows() []task {
	out := []task{
		{"ledger", (*filler).ledger}, {"people", (*filler).people}, {"embeddings", (*filler).embeddings}, {"journeys", (*filler).journeys},
		{"numbers", (*filler).numbers},
	}
	for first := 0; first < w.Reports; first += chunk {
		out = append(out, task{fmt.Sprintf("reports from %d", first), func(f *filler, ctx context.Context) error { return f.chunk(ctx, first) }})
	}
	return out
}

// chunk writes the reports from a number on, and what belongs to them.
func (f *filler) chunk(ctx context.Context, first int) error {
	var all, detailed []*subject
	for i := first; i < min(first+chunk, f.Reports); i++ {
		s := f.subject(i)
		all = append(all, s)
		if s.detailed {
			detailed = append(detailed, s)
		}
	}
	for _, write := range []func(context.Context, []*subject) error{f.reports, f.pictures} {
		if err := write(ctx, all); err != nil {
			return err
		}
	}
	for _, write := range []func(context.Context, []*subject) error{f.histories, f.comments, f.analyses, f.notifications} {
		if err := write(ctx, detailed); err != nil {
			return err
		}
	}
	return nil
}

// together gives the tasks, in their order, to the first filler that is free. It returns when all are done, and logs how long
// each took.
func together(ctx context.Context, tasks []task, fillers []*filler, log io.Writer) error {
	queue := make(chan task, len(tasks))
	for _, t := range tasks {
		queue <- t
	}
	close(queue)
	var logging sync.Mutex
	all, ctx := errgroup.WithContext(ctx)
	for _, f := range fillers {
		all.Go(func() error {
			for t := range queue {
				start := time.Now()
				if err := t.run(f, ctx); err != nil {
					return fmt.Errorf("%s: %w", t.name, err)
				}
				if took := time.Since(start); log != nil && took > time.Second {
					logging.Lock()
					fmt.Fprintf(log, "  %-30s %7.1f s\n", t.name, took.Seconds())
					logging.Unlock()
				}
			}
			return nil
		})
	}
	return all.Wait()
}

// many is the number of reports from which it is faster to make the indexes at the end.
const many = 20_000

// begin disables foreign keys and the counting triggers: the rows are consistent, and counts counts them at the end. The
// triggers of the ledger stay enabled.
func (f *filler) begin(ctx context.Context) error {
	return f.run(ctx, "SET session_replication_role = replica", "SET maintenance_work_mem = '1GB'", "SET work_mem = '256MB'",
		"SET max_parallel_maintenance_workers = 0", "SET max_parallel_workers_per_gather = 0", "SET synchronous_commit = off")
}

// dropIndexes drops the indexes of the large tables, except those of constraints. The tasks that it returns make them again;
// those that take longest are first.
func (f *filler) dropIndexes(ctx context.Context) ([]task, error) {
	if f.Reports < many {
		return nil, nil
	}
	const unconstrained = `
		SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
		  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
		 WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid) AND i.indrelid::regclass::text IN ('uploads',
		       'reports', 'report_images', 'report_status_history', 'report_comments', 'ai_analyses', 'notifications')
		 ORDER BY m.amname = 'btree', m.amname DESC, i.indrelid::regclass::text <> 'reports', 1`
	rows, err := f.conn.Query(ctx, unconstrained)
	if err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	var drop []string
	var out []task
	var name, definition string
	_, err = pgx.ForEachRow(rows, []any{&name, &definition}, func() error {
		drop, out = append(drop, "DROP INDEX "+name), append(out, statements(name, definition))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	return out, f.run(ctx, drop...)
}

// vacuums are the tasks that mark pages as all visible and update the statistics of the planner, the largest table first.
func (f *filler) vacuums(ctx context.Context) ([]task, error) {
	rows, err := f.conn.Query(ctx, `SELECT 'VACUUM ANALYZE ' || oid::regclass FROM pg_class WHERE relkind = 'r' ORDER BY pg_relation_size(oid) DESC`)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (task, error) {
		var sql string
		err := row.Scan(&sql)
		return statements(sql, sql), err
	})
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

// copySubjects writes the rows that each makes for the subjects.
func (f *filler) copySubjects(ctx context.Context, table string, columns []string, subjects []*subject, each func(s *subject, row write)) error {
	return f.copy(ctx, table, columns, 0, len(subjects), func(i int, row write) { each(subjects[i], row) })
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
