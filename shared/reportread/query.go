package reportread

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Query is the filters, the order and the page of a list of reports. Embed it in an input struct.
type Query struct {
	page.Query
	Filters
	Sort   string `query:"sort" enum:"created_at,updated_at,severity" default:"created_at" doc:"What the list is ordered by. By severity, reports without a verdict are after all others: their severity is shown to their reporter and staff alone"`
	Order  string `query:"order" enum:"asc,desc" default:"desc" doc:"desc: newest or worst first"`
	Cursor string `query:"cursor" maxLength:"300" doc:"next_cursor of the page before; costs the same at any depth. page is then ignored"`
}

// Filters say which reports a list has.
type Filters struct {
	Status       string         `query:"status" doc:"One or several, comma-separated" example:"pending,verified"`
	IssueType    string         `query:"issue_type" doc:"One or several, comma-separated" example:"pothole"`
	Severity     string         `query:"severity" doc:"One or several, comma-separated" example:"high,critical"`
	Municipality string         `query:"municipality" doc:"Code or name, in any of its spellings" example:"Dili"`
	District     string         `query:"district" maxLength:"100" doc:"Administrative post"`
	Suco         string         `query:"suco" maxLength:"100" doc:"Village or quarter" example:"Comoro"`
	DateFrom     string         `query:"date_from" doc:"Day in Timor-Leste, or instant, from which reports count" example:"2026-11-01"`
	DateTo       string         `query:"date_to" doc:"Last day, or instant up to which reports count" example:"2026-11-30"`
	Text         string         `query:"q" maxLength:"100" doc:"Part of a title, description or address that the caller may read, or a report number; at least 3 characters. Case, accents and apostrophes do not matter"`
	Box          string         `query:"bbox" doc:"minLon,minLat,maxLon,maxLat in degrees; minLon above maxLon crosses the antimeridian" example:"125.4,-8.7,125.8,-8.4"`
	UpdatedSince timestamp.Time `query:"updated_since" doc:"Only reports changed after this instant. It names no report that is gone, and may leave out a change that was committed late: GET /reports/changes does neither"`
}

// minText is the shortest text, in folded characters, that the trigram index can find.
const minText = 3

// lengthFolded counts the characters that fold_text leaves of a text.
func lengthFolded(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.In(r, unicode.Mn, unicode.Lm, unicode.Cf) && !strings.ContainsRune("'`´‘’‛′＇", r) {
			n++
		}
	}
	return n
}

// filter turns the query into conditions on reports r. What v may not read of a report is not searched.
func (q Filters) filter(ctx context.Context, m Municipalities, v Viewer, by geometry, w *where) error {
	if err := inList(w, "status", q.Status, report.ParseStatus); err != nil {
		return err
	}
	if err := inList(w, "issue_type", q.IssueType, report.ParseIssueType); err != nil {
		return err
	}
	if err := inList(w, "severity", q.Severity, report.ParseSeverity); err != nil {
		return err
	}
	if q.Severity != "" {
		v.onlyReadable(w)
	}
	if q.Municipality != "" {
		code, ok, err := m.Code(ctx, q.Municipality)
		if err != nil {
			return err
		}
		if !ok {
			return problem.InvalidField("municipality", "no municipality goes by that name")
		}
		w.and("r.municipality_code = ?", code)
	}
	if q.District != "" {
		w.and("r.district IS NOT NULL AND fold_text(r.district) = fold_text(?)", strings.TrimSpace(q.District))
		v.onlyWords(w, report.KnownDistrictSQL)
	}
	if q.Suco != "" {
		w.and("r.suco IS NOT NULL AND fold_text(r.suco) = fold_text(?)", strings.TrimSpace(q.Suco))
		v.onlyWords(w, report.KnownSucoSQL)
	}
	if err := q.dates(w); err != nil {
		return err
	}
	if err := q.text(v, w); err != nil {
		return err
	}
	return q.box(by, w)
}

func inList[T ~string](w *where, name, list string, read func(string) (T, bool)) error {
	if list == "" {
		return nil
	}
	values, bad := report.ParseList(list, read)
	if bad != "" || len(values) == 0 {
		return problem.InvalidField(name, "holds a word that is not in the list of values")
	}
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	if len(words) == 1 {
		w.and("r."+name+" = ?", words[0])
	} else {
		w.and("r."+name+" = ANY(?)", words)
	}
	return nil
}

func (q Filters) dates(w *where) error {
	if q.DateFrom != "" {
		from, _, err := instant(q.DateFrom)
		if err != nil {
			return problem.InvalidField("date_from", "expected YYYY-MM-DD or an RFC 3339 date-time")
		}
		w.created(&from, nil)
	}
	if q.DateTo != "" {
		to, day, err := instant(q.DateTo)
		if err != nil {
			return problem.InvalidField("date_to", "expected YYYY-MM-DD or an RFC 3339 date-time")
		}
		if day {
			end := to.AddDate(0, 0, 1)
			w.created(nil, &end)
		} else {
			w.and("r.created_at <= ?", to)
			w.until = &to
		}
	}
	if !q.UpdatedSince.IsZero() {
		w.and("r.updated_at > ?", q.UpdatedSince.Time)
	}
	return nil
}

// instant reads a day in Timor-Leste, as its beginning and true, or an instant.
func instant(s string) (time.Time, bool, error) {
	if t, err := time.ParseInLocation(time.DateOnly, s, report.Zone()); err == nil {
		return t, true, nil
	}
	t, err := timestamp.Parse(s)
	return t, false, err
}

func (q Filters) text(v Viewer, w *where) error {
	text := strings.TrimSpace(q.Text)
	if text == "" {
		return nil
	}
	if lengthFolded(text) < minText {
		return problem.InvalidField("q", "at least 3 characters")
	}
	if number, ok := report.ParseNumber(text); ok {
		w.and("r.report_number = ?", number)
		return nil
	}
	// The pattern is made once, by a query of its own, and not for each row.
	const words, pattern = "r.title || ' ' || r.description || ' ' || coalesce(r.address, '')", "(SELECT fold_pattern(?))"
	w.andEither("fold_text("+words+") LIKE "+pattern, "fold_text("+words+" || '') LIKE "+pattern, text)
	v.onlyWords(w, "")
	w.words = !w.removed
	return nil
}

func (q Filters) box(by geometry, w *where) error {
	if q.Box == "" {
		return nil
	}
	b, ok := ParseBox(q.Box)
	if !ok {
		return problem.InvalidField("bbox", "expected minLon,minLat,maxLon,maxLat within -180…180 and -90…90")
	}
	b.within(by, w)
	return nil
}

// where collects the conditions of a query and their arguments.
type where struct {
	conditions []string
	// scanConditions mean the same. They are for a scan along the index of a sort order: no other index serves them.
	scanConditions []string
	args           []any
	removed        bool       // there may be reports that were withdrawn or removed
	words          bool       // one of the conditions is a text, and removed is false
	since, until   *time.Time // all reports were created at since or later, and at until or earlier
	area           []any      // minLon, minLat, maxLon and maxLat around all reports, in degrees; nil for no such area, or where removed is true
}

// and adds a condition; each ? in it stands for the next of args.
func (w *where) and(condition string, args ...any) { w.andEither(condition, condition, args...) }

// andEither adds a condition in two forms with the same meaning and arguments: one for an index, and one for a scan.
func (w *where) andEither(indexed, scan string, args ...any) {
	before := len(w.args)
	w.conditions = append(w.conditions, w.bind(indexed, args...))
	w.args = w.args[:before]
	w.scanConditions = append(w.scanConditions, w.bind(scan, args...))
}

// created adds the condition that reports were created at since or later, and before until. Each may be nil.
func (w *where) created(since, until *time.Time) {
	if since != nil {
		w.and("r.created_at >= ?", *since)
		w.since = since
	}
	if until != nil {
		w.and("r.created_at < ?", *until)
		w.until = until
	}
}

// bind adds args to the arguments and replaces each ? of fragment by the number of its argument.
func (w *where) bind(fragment string, args ...any) string {
	var b strings.Builder
	for _, arg := range args {
		before, after, _ := strings.Cut(fragment, "?")
		w.args = append(w.args, arg)
		b.WriteString(before + "$" + strconv.Itoa(len(w.args)))
		fragment = after
	}
	return b.String() + fragment
}

func (w *where) sql() string { return joinAnd(w.conditions) }

// scanSQL is sql for a scan along the index of a sort order.
func (w *where) scanSQL() string { return joinAnd(w.scanConditions) }

func joinAnd(conditions []string) string {
	if len(conditions) == 0 {
		return "true"
	}
	return strings.Join(conditions, " AND ")
}

// Condition returns the filters of q and the limits of v as an SQL condition on reports r, with its arguments. It is for
// queries with other columns, such as exports.
func (r *Reader) Condition(ctx context.Context, v Viewer, q Query) (string, []any, error) {
	var w where
	v.visible(&w, "")
	if err := q.filter(ctx, r.municipalities, v, v.geometry(), &w); err != nil {
		return "", nil, err
	}
	return w.sql(), w.args, nil
}
