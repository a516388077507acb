package reportread

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// maxCounted is the largest total that a list reports. A longer list has this total too; its has_next is still right.
// Counting a million rows would cost more than the page.
const maxCounted = 1_000

// page sends batch together with the query of one page. It returns the reports that match w after the cursor of q, with one
// report more than the page has. It also returns the number of reports that match w, at most maxCounted.
//
// Which plan is fast depends on the number of matches, and the planner's estimate of it is often wrong by a factor of
// 100. So the query first reads up to maxCounted+1 matches in no order, by the best index. When these are all matches,
// it sorts them. When there are more, it scans the index of the sort order, which soon finds a page of matches.
func (r *Reader) page(ctx context.Context, v Viewer, batch *database.Batch, g geometry, w *where, q Query) ([]*summaryRow, int, error) {
	indexed, scan := w.sql(), w.scanSQL()
	counted := len(w.args)
	by, ofHits := sortingOf(q.Sort, g.rank), sortingOf(q.Sort, "r."+rankColumn)
	direction, beyond := "DESC", "<"
	if q.Order == "asc" {
		direction, beyond = "ASC", ">"
	}
	after, afterHit, offset := "true", "true", q.Offset()
	if q.Cursor != "" {
		c, err := parseCursor(q.Cursor, q.Sort, q.Order)
		if err != nil {
			return nil, 0, err
		}
		after = w.bind(by.tuple()+" "+beyond+" "+by.placeholders, by.values(c)...)
		afterHit = w.bind(ofHits.tuple()+" "+beyond+" "+by.placeholders, by.values(c)...)
		offset = 0
	}
	cut := fmt.Sprintf(` LIMIT %d OFFSET %d`, q.Limit()+1, offset)
	// Only the columns of the sort order: an index that contains them is enough, without reading the table.
	hits := `SELECT ` + by.selected() + ` FROM reports r WHERE ` + indexed + fmt.Sprintf(` LIMIT %d`, maxCounted+1)
	list := `WITH hits AS MATERIALIZED (` + hits + `), total AS MATERIALIZED (SELECT count(*) AS n FROM hits), page AS (
		(SELECT r.id FROM hits r WHERE ` + fmt.Sprintf(`(SELECT n FROM total) <= %d`, maxCounted) + ` AND ` + afterHit + ` ORDER BY ` + ofHits.order(direction) + cut + `)
		UNION ALL
		(SELECT r.id FROM reports r WHERE ` + fmt.Sprintf(`(SELECT n FROM total) > %d`, maxCounted) + ` AND ` + scan + ` AND ` + after + ` ORDER BY ` + by.order(direction) + cut + `))
		SELECT ` + summaryColumns + v.following(w) + `, (SELECT n FROM total) FROM page JOIN reports r ON r.id = page.id` + summaryJoins + ` ORDER BY ` + by.order(direction)

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
	if len(rows) == 0 && (offset > 0 || q.Cursor != "") { // past the last page there is no row with the total
		batch.Queue(settings)
		count := database.AskRow(batch, pgx.RowTo[int], `SELECT count(*) FROM (`+hits+`) c`, w.args[:counted]...)
		if err := batch.Send(ctx, r.db); err != nil {
			return nil, 0, err
		}
		total = count.Get()
	}
	return rows, min(total, maxCounted), nil
}

// rankColumn is the name of a rank of severity among the matches.
const rankColumn = "severity_rank"

// sorting is an order of reports r that an index has.
type sorting struct {
	columns      []string
	placeholders string
	values       func(cursor) []any
}

// sortingOf returns the order with the given name; rank is the rank of severity that it goes by.
func sortingOf(name, rank string) sorting {
	switch name {
	case "updated_at":
		return sorting{[]string{"r.updated_at", "r.id"}, "(?, ?)", func(c cursor) []any { return []any{c.At, c.ID} }}
	case "severity":
		return sorting{[]string{rank, "r.created_at", "r.id"}, "(?, ?, ?)", func(c cursor) []any { return []any{c.Rank, c.At, c.ID} }}
	}
	return sorting{[]string{"r.created_at", "r.id"}, "(?, ?)", func(c cursor) []any { return []any{c.At, c.ID} }}
}

func (s sorting) tuple() string { return "(" + strings.Join(s.columns, ", ") + ")" }

// selected is the columns for a SELECT; a rank has the name rankColumn.
func (s sorting) selected() string {
	if len(s.columns) == 3 {
		return s.columns[0] + " AS " + rankColumn + ", " + strings.Join(s.columns[1:], ", ")
	}
	return strings.Join(s.columns, ", ")
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

// Planner settings for a list. They apply until the end of the transaction; a batch of its own is one transaction.
const (
	// useIndexes forbids to read the whole table. With a LIMIT the planner expects to find enough rows at the beginning of
	// the table; when few reports match, it reads all of it. A parallel process costs more than it saves for a page.
	useIndexes = `SELECT set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)`

	// useWords is for a text filter. A plan for one text depends on an estimate of how common the text is; when that is
	// wrong, the plan scans all reports. A generic plan uses the text index.
	useWords = useIndexes + `, set_config('plan_cache_mode', 'force_generic_plan', true)`

	// usePlaces is for an area. The plan must be made for the area: the planner knows well how many reports lie in it, and
	// this differs by a factor of 1,000. The pages read are in memory, where random access costs about as much as
	// sequential access; with that cost the planner takes an index scan, which stops at the LIMIT, and not a bitmap scan,
	// which first finds all matches.
	usePlaces = useIndexes + `, set_config('plan_cache_mode', 'force_custom_plan', true), set_config('random_page_cost', '1.1', true)`
)
