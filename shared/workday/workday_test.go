package workday_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/workday"
)

func dili(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05 -0700", text+" +0900")
	if err != nil {
		panic(err)
	}
	return t
}

func day(text string) timestamp.Date {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return timestamp.Date{Time: t}
}

// The dates are those that the government published for these years, but for the ones that follow the moon.
func TestHolidaysAreThoseThatTheGovernmentPublished(t *testing.T) {
	t.Parallel()
	published := map[int][]string{
		2013: {"01-01", "03-29", "05-01", "05-20", "05-30", "08-30", "11-01", "11-02", "11-12", "11-28", "12-07", "12-08", "12-25"},
		2016: {"01-01", "03-25", "05-01", "05-20", "05-26", "08-30", "11-01", "11-02", "11-12", "11-28", "12-07", "12-08", "12-25", "12-31"},
		2017: {"01-01", "03-03", "04-14", "05-01", "05-20", "06-15", "08-30", "11-01", "11-02", "11-12", "11-28", "12-07", "12-08", "12-25", "12-31"},
		2022: {"01-01", "03-03", "04-15", "05-01", "05-20", "06-16", "08-30", "11-01", "11-02", "11-12", "11-28", "12-07", "12-08", "12-25", "12-31"},
		2025: {"01-01", "03-03", "04-18", "05-01", "05-20", "06-19", "08-30", "11-01", "11-02", "11-03", "11-12", "11-28", "12-07", "12-08", "12-25", "12-31"},
		2026: {"01-01", "03-03", "04-03", "05-01", "05-20", "06-04", "08-30", "11-01", "11-02", "11-03", "11-12", "11-28", "12-07", "12-08", "12-25", "12-31"},
	}
	for year, dates := range published {
		closed := map[string]bool{}
		for _, d := range dates {
			closed[d] = true
		}
		for at := time.Date(year, 1, 1, 3, 0, 0, 0, time.UTC); at.Year() == year; at = at.AddDate(0, 0, 1) {
			weekend := at.Weekday() == time.Saturday || at.Weekday() == time.Sunday
			if want := !weekend && !closed[at.Format("01-02")]; (workday.Calendar{}).IsWorkday(at) != want {
				t.Errorf("%s: a working day is %v, want %v", at.Format(time.DateOnly), !want, want)
			}
		}
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	eid := workday.NewCalendar([]timestamp.Date{day("2026-11-23")})
	for name, c := range map[string]struct {
		calendar workday.Calendar
		from     string
		days     int
		want     string
	}{
		"from a Thursday over a weekend": {workday.Calendar{}, "2026-11-19 08:00:00", 2, "2026-11-23 23:59:59"},
		"a day of the setting":           {eid, "2026-11-19 08:00:00", 2, "2026-11-24 23:59:59"},
		"over three holidays in a row":   {workday.Calendar{}, "2026-12-04 08:00:00", 1, "2026-12-09 23:59:59"},
		"assigned on a Saturday":         {workday.Calendar{}, "2026-11-21 12:00:00", 1, "2026-11-23 23:59:59"},
		"over Christmas and the year":    {workday.Calendar{}, "2026-12-24 23:59:59", 3, "2026-12-30 23:59:59"},
		"the last hour of a day of Dili": {workday.Calendar{}, "2026-11-19 23:59:59", 1, "2026-11-20 23:59:59"},
		"the first hour of the next one": {workday.Calendar{}, "2026-11-20 00:00:00", 1, "2026-11-23 23:59:59"},
		"Good Friday":                    {workday.Calendar{}, "2026-04-02 10:00:00", 1, "2026-04-06 23:59:59"},
		"no day at all":                  {workday.Calendar{}, "2026-11-21 12:00:00", 0, "2026-11-21 23:59:59"},
	} {
		if got := c.calendar.Deadline(dili(c.from), c.days); !got.Equal(dili(c.want)) {
			t.Errorf("%s: got %v, want %s", name, got, c.want)
		}
	}
}

// calendars draws a calendar with some days off, and an instant of the years in which reports are.
func calendars(t *rapid.T) (workday.Calendar, time.Time) {
	from := time.Unix(rapid.Int64Range(1577836800, 4102444800).Draw(t, "from"), 0)
	var off []timestamp.Date
	for _, after := range rapid.SliceOfN(rapid.IntRange(-3, 60), 0, 20).Draw(t, "off") {
		off = append(off, timestamp.DateOf(from.AddDate(0, 0, after)))
	}
	return workday.NewCalendar(off), from
}

// A deadline is on a working day, and exactly n working days lie after the first day up to it.
func TestDeadlinesCountWorkingDays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, from := calendars(t)
		n := rapid.IntRange(1, 365).Draw(t, "n")
		end := c.Deadline(from, n)
		if !c.IsWorkday(end) || end.Add(time.Second).UTC().Hour() != 15 || end.Add(time.Second).UTC().Minute() != 0 {
			t.Fatalf("%v is no end of a working day in Dili", end)
		}
		count := 0
		for at := end; at.After(dayEnd(from)); at = at.Add(-24 * time.Hour) {
			if c.IsWorkday(at) {
				count++
			}
		}
		if count != n || c.Between(from, end) != n {
			t.Fatalf("%d working days, Between says %d, want %d", count, c.Between(from, end), n)
		}
		if later := c.Deadline(from.Add(time.Duration(rapid.IntRange(0, 90*24).Draw(t, "hours"))*time.Hour), n); later.Before(end) {
			t.Fatalf("a later start has the earlier deadline %v", later)
		}
		if !c.Deadline(from, n+1).After(end) {
			t.Fatal("one more day is no later")
		}
	})
}

// dayEnd is 23:59:59 of the day of t in Dili.
func dayEnd(t time.Time) time.Time { return workday.Calendar{}.Deadline(t, 0) }

// A pause of some working days moves a deadline on by as many.
func TestShiftMovesByWorkingDays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, due := calendars(t)
		n := rapid.IntRange(0, 100).Draw(t, "n")
		moved := c.Shift(due, n)
		if c.Between(due, moved) != n || moved.Sub(due)%(24*time.Hour) != 0 || n > 0 && !c.IsWorkday(moved) {
			t.Fatalf("%v was moved to %v", due, moved)
		}
	})
}

// Before agrees with Deadline: n working days after its own day are over for what was due before it, and for nothing else.
func TestBeforeIsTheOppositeOfDeadline(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, due := calendars(t)
		n := rapid.IntRange(1, 30).Draw(t, "n")
		now := due.Add(time.Duration(rapid.IntRange(0, 80*24).Draw(t, "hours")) * time.Hour)
		over := c.Deadline(due, n).Before(dayEnd(now).Add(-24 * time.Hour).Add(time.Second))
		if got := due.Before(c.Before(now, n)); got != over {
			t.Fatalf("due %v, now %v, %d days: %v, want %v", due, now, n, got, over)
		}
	})
}

// Far years and wrong orders end.
func TestYearsAreBounded(t *testing.T) {
	t.Parallel()
	far, first := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	if n := (workday.Calendar{}).Between(first, far); n != workday.MaxDays {
		t.Errorf("counted %d days", n)
	}
	if n := (workday.Calendar{}).Between(far, first); n != 0 {
		t.Errorf("counted %d days backwards", n)
	}
	if end := (workday.Calendar{}).Deadline(first, 1<<40); end.Year() > 10 {
		t.Errorf("ends at %v", end)
	}
	if (workday.Calendar{}).IsWorkday(dili("2005-05-20 12:00:00")) != true {
		t.Error("the law of August 2005 closes a day of May 2005")
	}
}
