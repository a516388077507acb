package ogc

import (
	"strings"
	"time"

	"github.com/lafaekstreet/backend/shared/reportread"
)

// period is a time interval that contains its ends. An end that is nil is open.
type period struct{ from, to *time.Time }

// parsePeriod reads the parameter datetime: one date-time of RFC 3339, or two with a slash between them. One of the two may be ".." or
// empty, which leaves that end open.
func parsePeriod(s string) (period, bool) {
	if s == "" {
		return period{}, true
	}
	first, second, interval := strings.Cut(s, "/")
	if !interval {
		at, ok := parseInstant(s)
		return period{at, at}, ok && at != nil
	}
	from, okFrom := parseInstant(first)
	to, okTo := parseInstant(second)
	if !okFrom || !okTo || from == nil && to == nil {
		return period{}, false
	}
	return period{from, to}, from == nil || to == nil || !from.After(*to)
}

// parseInstant reads a date-time of RFC 3339, section 5.6, or an open end: nil. A "+" that a client did not encode arrives as a
// space.
func parseInstant(s string) (*time.Time, bool) {
	if s == "" || s == ".." {
		return nil, true
	}
	if i := len(s) - len(" 09:00"); i > 0 && s[i] == ' ' {
		s = s[:i] + "+" + s[i+1:]
	}
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s))
	return &t, err == nil && !strings.Contains(s, ",")
}

// scope limits a list to the reports that came in during the period. Answers show milliseconds, and the database has microseconds. A
// report belongs to the millisecond that is shown.
func (p period) scope() reportread.Scope {
	var since, until *time.Time
	if p.from != nil {
		at := p.from.Add(time.Millisecond - 1).Truncate(time.Millisecond)
		since = &at
	}
	if p.to != nil {
		at := p.to.Truncate(time.Millisecond).Add(time.Millisecond)
		until = &at
	}
	return reportread.Created(since, until)
}
