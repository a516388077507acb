package reportread

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/lafaekstreet/backend/shared/database"
)

// maxCounted is how many matches of a list are sorted. It is also the largest total of a list, except of a queue: counting a million rows
// would cost more than the page.
const maxCounted = 1_000

// MaxTotal is the largest total of a page. A list with this total may have more reports.
const MaxTotal = maxCounted

// listing says what a list reads of each report r, and how far it counts.
type listing struct {
	columns, joins string
	// sorted is how many matches are sorted; of a longer list the index of the sort order is scanned.
	sorted int
	// most is the largest total, at least sorted. A longer list has this total too; its has_next is still right.
	most int
}

// summaries is the listing of Summary for v. It binds what it needs to the arguments of w.
func summaries(v Viewer, w *where) listing {
	return listing{summaryColumns + v.following(w), summaryJoins, maxCounted, maxCounted}
}

// pageSQL is the statement that reads one page of a list. Each row has the columns of the listing and the total, which is most+1 for
// a longer list. A page without reports has one row with the total alone.
type pageSQL struct {
	settings string // of the planner; comes first
	list     string
	args     []any
}

// pageSQL returns the statement for the reports that match w after the cursor of q. It returns one report more than the page has.
//
// Which plan is fast depends on the number of matches, and the planner's estimate of it is often wrong by a factor of
// 100. So the query first reads up to sorted+1 matches in no order, by the best index. When these are all matches,
// it sorts them. When there are more, it scans the index of the sort order, which soon finds a page of matches.
func (l listing) pageSQL(g geometry, w *where, q Query) (pageSQL, error) {
	indexed, scan := w.sql(), w.scanSQL()
	by := sortingOf(q.Sort, g.rank)
	direction, beyond := q.direction()
	after, afterHit, offset := "true", "true", q.Offset()
	if q.Cursor != "" {
		c, err := parseCursor(q.Cursor, q.Sort, q.Order)
		if err != nil {
			return pageSQL{}, err
		}
		after = w.bind(by.tuple()+" "+beyond+" "+by.placeholders(), by.bound(c)...)
		afterHit = w.bind(by.ofHits().tuple()+" "+beyond+" "+by.placeholders(), by.bound(c)...)
		offset = 0
	}
	cut := fmt.Sprintf(` LIMIT %d OFFSET %d`, q.Limit()+1, offset)
	// Only the columns of the sort order: an index that contains them is enough, without reading the table.
	start := `hits AS MATERIALIZED (SELECT ` + by.selected() + ` FROM reports r WHERE ` + indexed + fmt.Sprintf(` LIMIT %d), found AS MATERIALIZED (SELECT count(*) AS n FROM hits)`, l.sorted+1)
	inSpans := w.inSpans() && l.most == l.sorted
	if inSpans {
		newest, err := q.newest(w)
		if err != nil {
			return pageSQL{}, err
		}
		start = l.spans(by.selected(), newest, w)
	}
	total := `SELECT n FROM found`
	if l.most > l.sorted { // without the columns of the sort order more indexes are enough
		total = fmt.Sprintf(`SELECT CASE WHEN n <= %d THEN n ELSE (SELECT count(*) FROM (SELECT FROM reports r WHERE %s LIMIT %d) c) END AS n FROM found`, l.sorted, indexed, l.most+1)
	}
	sorted := ` AND ` + afterHit + ` ORDER BY ` + by.ofHits().order(direction) + cut
	long := fmt.Sprintf(`(SELECT n FROM found) > %d`, l.sorted)
	pages := `(SELECT r.id FROM hits r WHERE ` + fmt.Sprintf(`(SELECT n FROM found) <= %d`, l.sorted) + sorted + `)`
	if inSpans && q.newestFirst() {
		start += `, recent AS MATERIALIZED (SELECT r.id FROM (` + l.inSpan() + `) r WHERE ` + long + sorted + `)`
		pages += fmt.Sprintf(` UNION ALL (SELECT id FROM recent WHERE (SELECT count(*) FROM recent) > %d)`, q.Limit())
		long += fmt.Sprintf(` AND (SELECT count(*) FROM recent) <= %d`, q.Limit())
	}
	list := `WITH ` + start + `, total AS MATERIALIZED (` + total + `), page AS (` + pages + `
		UNION ALL
		(SELECT r.id FROM reports r WHERE ` + long + ` AND ` + scan + ` AND ` + after + ` ORDER BY ` + by.order(direction) + cut + `))
		SELECT ` + l.columns + `, total.n FROM total LEFT JOIN (page JOIN reports r ON r.id = page.id` + l.joins + `) ON true ORDER BY ` + by.order(direction)
	return pageSQL{q.settings(), list, w.args}, nil
}

// hits are the reports of a page and the number of all matches.
type hits[T any] struct {
	rows  []*T
	total int  // at most that of the listing
	more  bool // there is a report after the page
}

// askPage adds the statement of a page to a pipeline. targets are the scan destinations of the columns of the listing.
func askPage[T any](p database.Pipeline, l listing, g geometry, w *where, q Query, targets func(*T) []any) (*database.Ask[hits[T]], error) {
	sql, err := l.pageSQL(g, w, q)
	if err != nil {
		return nil, err
	}
	p.Queue(sql.settings)
	total := 0
	rows := database.AskRows(p, func(row pgx.CollectableRow) (*T, error) {
		into := new(T)
		columns := targets(into)
		if row.RawValues()[0] == nil { // no report
			into, columns = nil, make([]any, len(columns))
		}
		return into, row.Scan(append(columns, &total)...)
	}, sql.list, sql.args...)
	return database.Derive(func() hits[T] {
		out := hits[T]{rows: rows.Get(), total: min(total, l.most)}
		if len(out.rows) == 1 && out.rows[0] == nil {
			out.rows = nil
		}
		if out.more = len(out.rows) > q.Limit(); out.more {
			out.rows = out.rows[:q.Limit()]
		}
		return out
	}), nil
}

// sorting is an order of reports r: by the columns, then by id.
type sorting struct {
	columns []sortColumn
	values  func(cursor) []any // of the columns
}

// sortColumn is an expression of reports r, and its name among the matches.
type sortColumn struct{ expression, name string }

// sortingOf returns the order with the given name; rank is the rank of severity that it goes by.
func sortingOf(name, rank string) sorting {
	created := sortColumn{"r.created_at", "created_at"}
	switch name {
	case "updated_at":
		return sorting{[]sortColumn{{"r.updated_at", "updated_at"}}, func(c cursor) []any { return []any{c.At} }}
	case "severity":
		return sorting{[]sortColumn{{rank, "severity_rank"}, created}, func(c cursor) []any { return []any{c.Rank, c.At} }}
	case "priority":
		return sorting{[]sortColumn{{priorityRankSQL, "priority_rank"}, created}, func(c cursor) []any { return []any{c.Rank, c.At} }}
	case "due_at":
		return sorting{[]sortColumn{{dueSQL, "due"}}, func(c cursor) []any { return []any{dueOf(c)} }}
	}
	return sorting{[]sortColumn{created}, func(c cursor) []any { return []any{c.At} }}
}

const (
	// priorityRankSQL is the expression of the index reports_open_priority_idx. The ranks are those of rank.
	priorityRankSQL = `(CASE r.priority WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 ELSE 4 END)`

	// dueSQL is the expression of the index reports_open_due_idx. It has reports without a due date after all others.
	dueSQL = `coalesce(r.due_at, 'infinity'::timestamptz)`
)

// dueOf is the due date of a cursor; the zero time is that of a report without one.
func dueOf(c cursor) pgtype.Timestamptz {
	if c.At.IsZero() {
		return pgtype.Timestamptz{Valid: true, InfinityModifier: pgtype.Infinity}
	}
	return pgtype.Timestamptz{Valid: true, Time: c.At}
}

// ofHits is the same order among the matches, which have each expression under its name.
func (s sorting) ofHits() sorting {
	out := sorting{make([]sortColumn, len(s.columns)), s.values}
	for i, c := range s.columns {
		out.columns[i] = sortColumn{"r." + c.name, c.name}
	}
	return out
}

func (s sorting) expressions() []string {
	var out []string
	for _, c := range s.columns {
		out = append(out, c.expression)
	}
	return append(out, "r.id")
}

// bound is the values that placeholders stands for.
func (s sorting) bound(c cursor) []any { return append(s.values(c), c.ID) }

func (s sorting) tuple() string { return "(" + strings.Join(s.expressions(), ", ") + ")" }

// placeholders is a tuple of as many ? as tuple has columns.
func (s sorting) placeholders() string { return "(" + strings.Repeat("?, ", len(s.columns)) + "?)" }

// selected is the columns for a SELECT.
func (s sorting) selected() string {
	out := ""
	for _, c := range s.columns {
		out += c.expression + " AS " + c.name + ", "
	}
	return out + "r.id"
}

func (s sorting) order(direction string) string {
	return strings.Join(s.expressions(), " "+direction+", ") + " " + direction
}

// Planner settings for a list. They apply until the end of the transaction; a batch of its own is one transaction.
const (
	// useIndexes forbids to read the whole table. With a LIMIT the planner expects to find enough rows at the beginning of
	// the table; when few reports match, it reads all of it. A parallel process costs more than it saves for a page.
	useIndexes = `SELECT set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)`

	// useOnePlan is for lists that one index serves for all values. Their plan is kept: to plan takes longer than to read the page.
	useOnePlan = useIndexes + `, set_config('plan_cache_mode', 'force_generic_plan', true)`

	// useWords is for a text filter. A plan for one text depends on an estimate of how common the text is; when that is
	// wrong, the plan scans all reports. A generic plan uses the text index.
	useWords = useOnePlan

	// usePlaces is for an area. The plan must be made for the area: the planner knows well how many reports lie in it, and
	// this differs by a factor of 1,000. The pages read are in memory, where random access costs about as much as
	// sequential access; with that cost the planner takes an index scan, which stops at the LIMIT, and not a bitmap scan,
	// which first finds all matches.
	usePlaces = useIndexes + `, set_config('plan_cache_mode', 'force_custom_plan', true), set_config('random_page_cost', '1.1', true)`
)

// settings returns the planner settings for the list.
func (q Query) settings() string {
	switch {
	case q.Text != "":
		return useWords
	case q.ofOneKind():
		return useOnePlan
	case q.Box != "":
		return usePlaces
	}
	return useIndexes
}

// ofOneKind reports whether the list asks for one status and one type, and nothing else: what reports_kind_idx has in order.
func (q Query) ofOneKind() bool {
	others := q.Filters
	others.Status, others.IssueType = "", ""
	single := func(list string) bool { return list != "" && !strings.Contains(list, ",") }
	return single(q.Status) && single(q.IssueType) && others == Filters{} && q.newestFirst()
}

// direction returns the word for the order of the list, and the operator between what comes later and a cursor.
func (q Query) direction() (string, string) {
	if q.Order == "asc" {
		return "ASC", ">"
	}
	return "DESC", "<"
}
