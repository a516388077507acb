package reportread

import (
	"context"
	"errors"
	"math"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// FuzzCursor: any text is a 422, or a place the database can be asked for, of
// the same list and order.
func FuzzCursor(f *testing.F) {
	id := database.NewID()
	for _, sort := range []string{"created_at", "updated_at", "severity"} {
		high := report.High
		last := &summaryRow{Summary: Summary{ID: id, Severity: &high, CreatedAt: timestamp.Of(time.Unix(1.7e9, 0)), UpdatedAt: timestamp.Of(time.Unix(1.8e9, 0))}}
		f.Add(cursorOf(Query{Sort: sort, Order: "desc"}, exactGeometry(), last), sort, "desc")
		f.Add(cursorOf(Query{Sort: sort, Order: "asc"}, exactGeometry(), last), sort, "desc")
	}
	f.Add("eyJzIjoiY3JlYXRlZF9hdGRlc2MiLCJ0IjoiOTk5OS0xMi0zMVQyMzo1OTo1OS45OTlaIiwiciI6OTIyMzM3MjAzNjg1NDc3NTgwN30", "created_at", "desc")
	f.Add("", "", "")
	f.Add("e30", "", "")
	f.Fuzz(func(t *testing.T, text, sort, order string) {
		c, err := parseCursor(text, sort, order)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		if c.Sort != sort+order {
			t.Errorf("a cursor of %q is taken for %q", c.Sort, sort+order)
		}
		if c.Rank < 0 || c.Rank > math.MaxInt16 {
			t.Errorf("rank %d", c.Rank)
		}
		if y := c.At.UTC().Year(); y < 0 || y > 9999 {
			t.Errorf("year %d", y)
		}
	})
}

// noMunicipality knows none.
type noMunicipality struct{}

func (noMunicipality) Code(context.Context, string) (string, bool, error) { return "", false, nil }

// FuzzQuery: any filters are a 422, or conditions with as many arguments as they
// have places for.
func FuzzQuery(f *testing.F) {
	f.Add("pending,verified", "pothole", "high", "bridge", "2026-11-01", "2026-11-30", "125.4,-8.7,125.8,-8.4")
	f.Add("PENDING", "broken street-light", "", "LS-2026-000001", "2026-11-01T00:00:00Z", "", "179,-10,-179,10")
	f.Add(",", "x", "y", "ab", "tomorrow", "0000-00-00", "NaN,NaN,NaN,NaN")
	f.Add("", "", "", "100%_\\", "", "", "1,2,3")
	f.Add("", "", "", "a?b?c", "9999-12-31", "9999-12-31", "-Inf,-90,+Inf,90")
	f.Fuzz(func(t *testing.T, status, issue, severity, text, from, to, box string) {
		var w where
		q := Filters{Status: status, IssueType: issue, Severity: severity, Text: text, DateFrom: from, DateTo: to, Box: box}
		if err := q.filter(t.Context(), noMunicipality{}, Public(), Public().geometry(), &w); err != nil {
			wantInvalid(t, err)
			return
		}
		sql := w.sql() + " "
		for i := range w.args {
			if !contains(sql, i+1) {
				t.Errorf("no place for argument %d in %s", i+1, sql)
			}
		}
		if contains(sql, len(w.args)+1) {
			t.Errorf("more places than arguments in %s", sql)
		}
	})
}

// FuzzWords: words of the enumerations read as themselves however they are
// written, and nothing else is taken for one.
func FuzzWords(f *testing.F) {
	for _, seed := range []string{"pothole", "Broken Street-Light", "IN_PROGRESS", "in progress", "", "critical", "LS-2026-000001", "ls-2026-1", "İ", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if s, ok := report.ParseStatus(word); ok {
			if again, ok := report.ParseStatus(string(s)); !ok || again != s {
				t.Errorf("%q is %q is %q", word, s, again)
			}
		}
		if s, ok := report.ParseSeverity(word); ok {
			if again, ok := report.ParseSeverity(string(s)); !ok || again != s {
				t.Errorf("%q is %q is %q", word, s, again)
			}
		}
		issue, ok := report.ParseIssueType(word)
		if again, same := report.ParseIssueType(string(issue)); ok && (!same || again != issue) || !ok && issue != report.OtherProblem {
			t.Errorf("%q is %q, %v", word, issue, ok)
		}
		if n, ok := report.ParseNumber(word); ok {
			if again, ok := report.ParseNumber(n); !ok || again != n {
				t.Errorf("%q is number %q is %q", word, n, again)
			}
		}
		if b, ok := ParseBox(word); ok && !(report.ValidPoint(b.MinLat, b.MinLon) && report.ValidPoint(b.MaxLat, b.MaxLon)) {
			t.Errorf("%q is %+v", word, b)
		}
	})
}

// contains reports whether conditions use the numbered argument.
func contains(sql string, argument int) bool {
	return regexp.MustCompile(`\$` + strconv.Itoa(argument) + `\b`).MatchString(sql)
}

func wantInvalid(t *testing.T, err error) {
	t.Helper()
	var e *problem.Error
	if !errors.As(err, &e) || e.Kind != problem.Invalid || len(e.Fields) == 0 {
		t.Errorf("refused with %v", err)
	}
}
