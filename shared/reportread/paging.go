package reportread

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// maxCounted bounds how far a list is counted: beyond, total says maxCounted and
// has_next still tells the truth. Counting a million rows would cost more than the page.
const maxCounted = 1_000

// page runs batch and reads the reports that w and the cursor of q let through, one more than
// the page holds, and counts those of w.
//
// Which way is quick depends on how many there are, and the planner's guess at
// that is often off by a hundred times. So the first maxCounted are looked for in
// no order, by whatever index is best: when that is all of them, they are sorted.
// When there are more, a walk along the index of the order meets a page of them soon.
func (r *Reader) page(ctx context.Context, batch *pgx.Batch, w *where, q Query) ([]*summaryRow, int, error) {
	found, met := w.sql(), w.walk()
	counted := len(w.args)
	by := sortings(q.Sort)
	direction, beyond := "DESC", "<"
	if q.Order == "asc" {
		direction, beyond = "ASC", ">"
	}
	after, offset := "true", q.Offset()
	if q.Cursor != "" {
		c, err := parseCursor(q.Cursor, q.Sort, q.Order)
		if err != nil {
			return nil, 0, err
		}
		after, offset = w.bind(by.tuple+" "+beyond+" "+by.placeholders, by.values(c)...), 0
	}
	cut := ` ORDER BY ` + by.order(direction) + fmt.Sprintf(` LIMIT %d OFFSET %d`, q.Limit()+1, offset)
	// Of the order's columns alone: an index that has them need not read the reports.
	hits := `SELECT ` + strings.Join(by.columns, ", ") + ` FROM reports r WHERE ` + found + fmt.Sprintf(` LIMIT %d`, maxCounted+1)
	list := `WITH hits AS MATERIALIZED (` + hits + `), total AS MATERIALIZED (SELECT count(*) AS n FROM hits), page AS (
		(SELECT r.id FROM hits r WHERE ` + fmt.Sprintf(`(SELECT n FROM total) <= %d`, maxCounted) + ` AND ` + after + cut + `)
		UNION ALL
		(SELECT r.id FROM reports r WHERE ` + fmt.Sprintf(`(SELECT n FROM total) > %d`, maxCounted) + ` AND ` + met + ` AND ` + after + cut + `))
		SELECT ` + summaryColumns + `, (SELECT n FROM total) FROM page JOIN reports r ON r.id = page.id` + summaryJoins + ` ORDER BY ` + by.order(direction)

	settings := useIndexes
	switch {
	case q.Text != "":
		settings = useWords
	case q.Box != "":
		settings = usePlaces
	}
	batch.Queue(settings)
	var rows []*summaryRow
	var total int
	batch.Queue(list, w.args...).Query(func(list pgx.Rows) error {
		var err error
		rows, err = pgx.CollectRows(list, func(row pgx.CollectableRow) (*summaryRow, error) {
			s := &summaryRow{}
			return s, row.Scan(append(s.targets(), &total)...)
		})
		return err
	})
	if err := r.db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, 0, err
	}
	if len(rows) == 0 && (offset > 0 || q.Cursor != "") { // beyond the end, nothing tells how many there are before it
		batch := &pgx.Batch{}
		batch.Queue(settings)
		batch.Queue(`SELECT count(*) FROM (`+hits+`) c`, w.args[:counted]...).QueryRow(func(row pgx.Row) error { return row.Scan(&total) })
		if err := r.db.SendBatch(ctx, batch).Close(); err != nil {
			return nil, 0, err
		}
	}
	return rows, min(total, maxCounted), nil
}

// sorting is an order over reports r that some index has.
type sorting struct {
	columns      []string
	tuple        string
	placeholders string
	values       func(cursor) []any
}

func sortings(name string) sorting {
	switch name {
	case "updated_at":
		return sorting{[]string{"r.updated_at", "r.id"}, "(r.updated_at, r.id)", "(?, ?)",
			func(c cursor) []any { return []any{c.At, c.ID} }}
	case "severity":
		return sorting{[]string{"r.severity_rank", "r.created_at", "r.id"}, "(r.severity_rank, r.created_at, r.id)", "(?, ?, ?)",
			func(c cursor) []any { return []any{c.Rank, c.At, c.ID} }}
	}
	return sorting{[]string{"r.created_at", "r.id"}, "(r.created_at, r.id)", "(?, ?)",
		func(c cursor) []any { return []any{c.At, c.ID} }}
}

func (s sorting) order(direction string) string {
	out := ""
	for i, column := range s.columns {
		if i > 0 {
			out += ", "
		}
		out += column + " " + direction
	}
	return out
}
