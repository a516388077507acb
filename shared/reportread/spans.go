package reportread

import (
	"fmt"
	"strings"
)

// spanLengths is how many lengths of spans the index reports_spans_words_idx has: 1 day, 8 days and 64 days.
const spanLengths = 3

// spans returns the common table expressions hits and found of a search for a text: up to sorted+1 matches in no order, and how many
// they are. match selects all matches, newest is the time at which the search begins.
//
// The index finds all matches of a text before it returns the first one, so a common text would cost more the more reports there are.
// The query therefore looks in the newest days, then in the newest weeks, then in the newest months, and stops where it has found more
// than sorted. Only a text that is rare in the newest months is looked for in all reports.
func (l listing) spans(match, newest string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `newest AS MATERIALIZED (SELECT %s AS at)`, newest)
	most := "0" // the most matches of a span before
	for i := range spanLengths {
		fmt.Fprintf(&b, `, hits%d AS MATERIALIZED (%s AND (SELECT greatest(%s)) <= %d AND created_spans(r.created_at) && (SELECT spans_until(at, %d) FROM newest) LIMIT %d)`,
			i, match, most, l.sorted, i+1, l.sorted+1)
		fmt.Fprintf(&b, `, found%d AS MATERIALIZED (SELECT count(*) AS n FROM hits%d)`, i, i)
		most += fmt.Sprintf(`, (SELECT n FROM found%d)`, i)
	}
	fmt.Fprintf(&b, `, hits AS MATERIALIZED (%s AND (SELECT greatest(%s)) <= %d LIMIT %d)`, match, most, l.sorted, l.sorted+1)
	fmt.Fprintf(&b, `, found AS MATERIALIZED (SELECT greatest(%s, count(*)) AS n FROM hits)`, most)
	return b.String()
}

// inSpan selects all matches of the longest span that spans found no more than sorted in. The page of a list with the newest first is
// among them, if they are enough.
func (l listing) inSpan() string {
	selects := make([]string, spanLengths)
	for i := range selects {
		selects[i] = fmt.Sprintf(`SELECT * FROM hits%d WHERE (SELECT n FROM found%d) <= %d`, i, i, l.sorted)
		if i+1 < spanLengths {
			selects[i] += fmt.Sprintf(` AND (SELECT n FROM found%d) > %d`, i+1, l.sorted)
		}
	}
	return strings.Join(selects, " UNION ALL ")
}

// newestFirst reports whether a list is in the order of creation, the newest first.
func (q Query) newestFirst() bool { return q.Sort == "created_at" && q.Order == "desc" }

// newest is when a search in spans begins: at the cursor of a list with the newest first, else at the newest report.
func (q Query) newest(w *where) (string, error) {
	if q.Cursor == "" || !q.newestFirst() {
		return `(SELECT max(created_at) FROM reports WHERE deleted_at IS NULL)`, nil
	}
	c, err := parseCursor(q.Cursor, q.Sort, q.Order)
	return w.bind("?::timestamptz", c.At), err
}
