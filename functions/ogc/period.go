package ogc

import (
	"strings"
	"time"
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

// condition returns the SQL condition that a report r came in during the period, and its arguments. Answers show milliseconds, and the
// database has microseconds. A report belongs to the millisecond that is shown.
func (p period) condition() (string, []any) {
	var conditions []string
	var args []any
	if p.from != nil {
		conditions, args = append(conditions, "r.created_at >= ?"), append(args, p.from.Add(time.Millisecond-1).Truncate(time.Millisecond))
	}
	if p.to != nil {
		conditions, args = append(conditions, "r.created_at < ?"), append(args, p.to.Truncate(time.Millisecond).Add(time.Millisecond))
	}
	if conditions == nil {
		return "true", nil
	}
	return strings.Join(conditions, " AND "), args
}
