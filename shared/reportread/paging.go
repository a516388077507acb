package reportread

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
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
func (r *Reader) page(ctx context.Context, batch *database.Batch, w *where, q Query) ([]*summaryRow, int, error) {
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
	type hit struct {
		row   *summaryRow
		total int
	}
	page := database.AskRows(batch, func(row pgx.CollectableRow) (hit, error) {
		h := hit{row: &summaryRow{}}
		err := row.Scan(append(h.row.targets(), &h.total)...)
		return h, err
	}, list, w.args...)
	if err := batch.Send(ctx, r.db); err != nil {
		return nil, 0, err
	}
	var rows []*summaryRow
	total := 0
	for _, h := range page.Get() {
		rows, total = append(rows, h.row), h.total
	}
	if len(rows) == 0 && (offset > 0 || q.Cursor != "") { // beyond the end, nothing tells how many there are before it
		batch.Queue(settings)
		count := database.AskRow(batch, pgx.RowTo[int], `SELECT count(*) FROM (`+hits+`) c`, w.args[:counted]...)
		if err := batch.Send(ctx, r.db); err != nil {
			return nil, 0, err
		}
		total = count.Get()
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

// What the planner is told before a list is read, until the end of the transaction, which in a batch of its own is the
// batch.
const (
	// useIndexes keeps it from reading all reports: for a list that is bounded it takes the beginning of the table for
	// cheap, and where few reports match, the beginning is all of it. Nor is another process worth starting for a page.
	useIndexes = `SELECT set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)`

	// useWords is for a text. A plan made for one word trusts a guess of how common that is, and where it errs, walks along
	// all reports for the last of the first thousand; one made for any word looks them up.
	useWords = useIndexes + `, set_config('plan_cache_mode', 'force_generic_plan', true)`

	// usePlaces is for what is narrowed to a place, where the plan must be made for the place: how many reports lie around
	// it is known well, and differs by a thousand times. What lists read is in memory, where a page out of order costs as
	// much as the next: then an index that finds reports one by one, and stops at the bound, wins over one that must have
	// found all of them before the first.
	usePlaces = useIndexes + `, set_config('plan_cache_mode', 'force_custom_plan', true), set_config('random_page_cost', '1.1', true)`
)
