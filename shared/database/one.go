package database

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// one is a batch of one statement.
func one(sql string, args []any) *pgx.Batch {
	b := &pgx.Batch{}
	b.Queue(sql, args...)
	return b
}

// execOne is the result of Exec for a batch of one statement.
func execOne(results pgx.BatchResults) (pgconn.CommandTag, error) {
	tag, err := results.Exec()
	if err != nil {
		return tag, failed(results, err)
	}
	return tag, results.Close()
}

// queryOne is the result of Query for a batch of one statement.
func queryOne(results pgx.BatchResults) (pgx.Rows, error) {
	rows, err := results.Query()
	return &batchRows{Rows: rows, results: results}, err
}

// rowOfOne is the result of QueryRow for a batch of one statement.
func rowOfOne(results pgx.BatchResults) pgx.Row {
	return &batchRow{Row: results.QueryRow(), results: results}
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
