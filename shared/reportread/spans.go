package reportread

import (
	"fmt"
	"strings"
)

// spanDays are the lengths of the spans of time in which a search looks first, in days. The index of words has spans of these lengths.
func spanDays() []int { return []int{1, 8, 64} }

// inSpans reports whether a search looks in the newest reports first, by an index that knows the time: of words or of places.
func (w *where) inSpans() bool { return w.words || w.area != nil }

// spans returns the common table expressions hits and found of a search for a text or in an area: up to sorted+1 matches in no order,
// and how many they are. columns are those of hits, newest is the time at which the search begins.
//
// The index of words finds all matches of a text before it returns the first one, so a common text would cost more the more reports there
// are. And where an area has few of all reports but more than sorted, the newest of them are far apart in the order of creation. The
// query therefore looks in the newest days, then in the newest weeks, then in the newest months, and stops where it has found more than
// sorted. Only what is rare in the newest months is looked for in all reports.
func (l listing) spans(columns, newest string, w *where) string {
	var b strings.Builder
	fmt.Fprintf(&b, `newest AS MATERIALIZED (SELECT %s AS at)`, newest)
	most := "0" // the most matches of a span before
	hits := func(condition string) string {
		return fmt.Sprintf(`AS MATERIALIZED (SELECT %s FROM reports r WHERE (SELECT greatest(%s)) <= %d AND %s LIMIT %d)`, columns, most, l.sorted, condition, l.sorted+1)
	}
	var area string
	if !w.words {
		area = w.bind(createdPointSQL+" &&& (SELECT created_box(?::float8, ?::float8, ?::float8, ?::float8, ", w.area...)
	}
	for i, days := range spanDays() {
		condition := fmt.Sprintf(`%s AND created_spans(r.created_at) && (SELECT spans_until(at, %d) FROM newest)`, w.sql(), i+1)
		if !w.words {
			condition = fmt.Sprintf(`%s AND %sat - interval '%d days', at) FROM newest)`, w.scanSQL(), area, days)
		}
		fmt.Fprintf(&b, `, hits%d %s, found%d AS MATERIALIZED (SELECT count(*) AS n FROM hits%d)`, i, hits(condition), i, i)
		most += fmt.Sprintf(`, (SELECT n FROM found%d)`, i)
	}
	fmt.Fprintf(&b, `, hits %s, found AS MATERIALIZED (SELECT greatest(%s, count(*)) AS n FROM hits)`, hits(w.sql()), most)
	return b.String()
}

// inSpan selects all matches of one span: the longest span with at most sorted matches. In a list with the newest first, the page is
// among them if the span has enough matches.
func (l listing) inSpan() string {
	selects := make([]string, len(spanDays()))
	for i := range selects {
		selects[i] = fmt.Sprintf(`SELECT * FROM hits%d WHERE (SELECT n FROM found%d) <= %d`, i, i, l.sorted)
		if i+1 < len(selects) {
			selects[i] += fmt.Sprintf(` AND (SELECT n FROM found%d) > %d`, i+1, l.sorted)
		}
	}
	return strings.Join(selects, " UNION ALL ")
}

// newestFirst reports whether a list is in the order of creation, the newest first.
func (q Query) newestFirst() bool { return q.Sort == "created_at" && q.Order == "desc" }

// newest is when a search in spans begins: at the cursor of a list with the newest first, else at the newest report that w may have.
func (q Query) newest(w *where) (string, error) {
	if q.Cursor == "" || !q.newestFirst() {
		newest := `(SELECT max(created_at) FROM reports WHERE deleted_at IS NULL)`
		if w.until != nil {
			newest = w.bind(`least(?::timestamptz, `, *w.until) + newest + `)`
		}
		return newest, nil
	}
	c, err := parseCursor(q.Cursor, q.Sort, q.Order)
	return w.bind("?::timestamptz", c.At), err
}
