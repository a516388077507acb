// Package workday counts working days in Dili: Monday to Friday, without the public holidays of Timor-Leste and the days that
// the setting holidays names. Deadlines are counted in them.
package workday

import (
	"time"

	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Calendar says which days are working days. Its zero value knows weekends and the holidays of the law. It does not change after
// NewCalendar and is safe for concurrent use.
type Calendar struct {
	closed map[date]bool
}

// NewCalendar returns the calendar with further days on which nobody works: the setting holidays.
func NewCalendar(closed []timestamp.Date) Calendar {
	c := Calendar{closed: make(map[date]bool, len(closed))}
	for _, d := range closed {
		c.closed[date{d.Year(), d.Month(), d.Day()}] = true
	}
	return c
}

// IsWorkday reports whether the day of t in Dili is a working day.
func (c Calendar) IsWorkday(t time.Time) bool { return c.isWorkday(dateOf(t)) }

func (c Calendar) isWorkday(d date) bool {
	if w := d.weekday(); w == time.Saturday || w == time.Sunday || c.closed[d] {
		return false
	}
	for _, h := range holidays() {
		if on, ok := h.in(d.year); ok && on == d {
			return false
		}
	}
	return true
}

// Deadline is the end of the n-th working day after the day of from in Dili: 23:59:59 there. The day of from does not count.
// With n < 1 it is the end of the day of from.
func (c Calendar) Deadline(from time.Time, n int) time.Time {
	return c.add(dateOf(from), n).at(23, 59, 59)
}

// Shift moves t by n working days to a later working day, at the same time of the day in Dili. With n < 1 it returns t.
func (c Calendar) Shift(t time.Time, n int) time.Time {
	if n < 1 {
		return t
	}
	local := t.In(report.Zone())
	return c.add(dateOf(t), n).at(local.Hour(), local.Minute(), local.Second())
}

// Between counts the working days after the day of from up to the day of to, both in Dili, at most MaxDays. It is 0 where to is not
// on a later day.
func (c Calendar) Between(from, to time.Time) int {
	n, end := 0, dateOf(to)
	for d := dateOf(from).plus(1); !d.after(end) && n < MaxDays; d = d.plus(1) {
		if c.isWorkday(d) {
			n++
		}
	}
	return n
}

// Before is the beginning of the n-th working day before the day of t, in Dili. What was due before it has n whole working days
// behind it since its own day. n is at least 1.
func (c Calendar) Before(t time.Time, n int) time.Time {
	d := dateOf(t)
	for n = min(n, MaxDays); n > 0; {
		d = d.plus(-1)
		if c.isWorkday(d) {
			n--
		}
	}
	return d.at(0, 0, 0)
}

// MaxDays bounds the working days of all of these: about 8 years.
const MaxDays = 2000

// add returns the n-th working day after d; d itself with n < 1.
func (c Calendar) add(d date, n int) date {
	for n = min(n, MaxDays); n > 0; {
		d = d.plus(1)
		if c.isWorkday(d) {
			n--
		}
	}
	return d
}

// date is a day of the calendar.
type date struct {
	year  int
	month time.Month
	day   int
}

// dateOf is the day of t in Dili.
func dateOf(t time.Time) date {
	y, m, d := t.In(report.Zone()).Date()
	return date{y, m, d}
}

// at is a time of the day in Dili, as an instant in UTC.
func (d date) at(hour, minute, second int) time.Time {
	return time.Date(d.year, d.month, d.day, hour, minute, second, 0, report.Zone()).UTC()
}

func (d date) plus(days int) date {
	y, m, day := time.Date(d.year, d.month, d.day+days, 0, 0, 0, 0, time.UTC).Date()
	return date{y, m, day}
}

func (d date) weekday() time.Weekday {
	return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC).Weekday()
}

func (d date) after(other date) bool {
	if d.year != other.year {
		return d.year > other.year
	}
	if d.month != other.month {
		return d.month > other.month
	}
	return d.day > other.day
}
