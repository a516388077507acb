package open311

import (
	"strings"
	"time"

	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

// w3Text writes a time in UTC, to the second, as the examples of the specification do.
func w3Text(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// period is a time as a client writes it: an instant is the second that it lies in, and a date is the day in Timor-Leste.
type period struct {
	from, to time.Time // to is the first instant after it
}

// parseW3 reads a date, or a time with its zone (https://www.w3.org/TR/NOTE-datetime). A plus that was not encoded in an address
// is a space there.
func parseW3(text string) (period, bool) {
	if day, err := time.ParseInLocation(time.DateOnly, text, report.Zone()); err == nil {
		return period{day, day.AddDate(0, 0, 1)}, true
	}
	if n := len(text); n > len("+09:00") && text[n-6] == ' ' {
		text = text[:n-6] + "+" + text[n-5:]
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(form, strings.ToUpper(text)); err == nil {
			t = t.Truncate(time.Second)
			return period{t, t.Add(time.Second)}, true
		}
	}
	return period{}, false
}

// time is a parameter that is a time; false where it is absent.
func (c *Call) time(name string) (period, bool, error) {
	text := c.text(name)
	if text == "" {
		return period{}, false, nil
	}
	p, ok := parseW3(text)
	if !ok {
		return period{}, false, problem.InvalidField(name, "expected a date and time with its zone, such as 2026-11-29T08:30:00Z")
	}
	return p, true, nil
}

// longest is the longest span of start_date and end_date, and the default one until now.
const longest = 90 * 24 * time.Hour

// span reads start_date and end_date. One alone begins or ends a span of 90 days. It is false where there is neither.
func (c *Call) span(now time.Time) (period, bool, error) {
	start, started, err := c.time("start_date")
	if err != nil {
		return period{}, false, err
	}
	end, ended, err := c.time("end_date")
	if err != nil {
		return period{}, false, err
	}
	switch {
	case !started && !ended:
		return period{now.Add(-longest), now.Add(time.Second)}, false, nil
	case !ended:
		return period{start.from, start.from.Add(longest)}, true, nil
	case !started:
		return period{end.from.Add(-longest), end.to}, true, nil
	case end.to.Before(start.to):
		return period{}, false, problem.InvalidField("end_date", "expected a date after start_date")
	case end.from.Sub(start.from) > longest:
		return period{}, false, problem.InvalidField("end_date", "start_date and end_date may be at most 90 days apart")
	}
	return period{start.from, end.to}, true, nil
}
