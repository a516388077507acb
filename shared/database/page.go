package database

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Page reads a page of a list and counts the whole of it, in one round trip. count has the first arguments of list.
func Page[T any](ctx context.Context, q Querier, count, list string, counted int, scan pgx.RowToFunc[T], args ...any) ([]T, int, error) {
	var items []T
	var total int
	batch := &pgx.Batch{}
	batch.Queue(count, args[:counted]...).QueryRow(func(row pgx.Row) error { return row.Scan(&total) })
	batch.Queue(list, args...).Query(func(rows pgx.Rows) error {
		var err error
		items, err = pgx.CollectRows(rows, scan)
		return err
	})
	return items, total, q.SendBatch(ctx, batch).Close()
}
