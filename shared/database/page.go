package database

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Page reads a page of a list and counts the whole of it, in one round trip. count has the first arguments of list.
func Page[T any](ctx context.Context, q Querier, count, list string, counted int, scan pgx.RowToFunc[T], args ...any) ([]T, int, error) {
	batch := &Batch{}
	total := AskRow(batch, pgx.RowTo[int], count, args[:counted]...)
	items := AskRows(batch, scan, list, args...)
	if err := batch.Send(ctx, q); err != nil {
		return nil, 0, err
	}
	return items.Get(), total.Get(), nil
}
