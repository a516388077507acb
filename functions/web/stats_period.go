package web

import (
	"fmt"
	"strconv"
	"time"

	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// period is a year or a quarter in Dili: the first day, and the first day after it, both 00:00 UTC. The zero value is all time.
type period struct {
	from, to time.Time
	quarter  int // 1 to 4; 0 for a year
}

func yearOf(year int) period {
	return period{from: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), to: time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func quarterOf(year, quarter int) period {
	first := time.Date(year, time.Month(3*quarter-2), 1, 0, 0, 0, 0, time.UTC)
	return period{from: first, to: first.AddDate(0, 3, 0), quarter: quarter}
}

// parsePeriod reads "2026-Q3", "2026Q3" or "2026", or a year; the operation has checked their forms.
func parsePeriod(quarter, year string) period {
	if quarter == "" {
		quarter = year
	}
	if quarter == "" {
		return period{}
	}
	y, err := strconv.Atoi(quarter[:4])
	if err != nil {
		return period{}
	}
	if q := int(quarter[len(quarter)-1] - '0'); len(quarter) > 4 {
		return quarterOf(y, q)
	}
	return yearOf(y)
}

// value is the period as it stands in an address; empty for all time.
func (p period) value() string {
	if p.from.IsZero() {
		return ""
	}
	if p.quarter == 0 {
		return strconv.Itoa(p.from.Year())
	}
	return fmt.Sprintf("%d-Q%d", p.from.Year(), p.quarter)
}

// name is the period for a person; empty for all time.
func (p period) name(v view) string {
	switch {
	case p.from.IsZero():
		return ""
	case p.quarter == 0:
		return strconv.Itoa(p.from.Year())
	}
	return v.with("page.stats.quarter", map[string]string{"quarter": strconv.Itoa(p.quarter), "year": strconv.Itoa(p.from.Year())})
}

// days are the first and the last day of the period.
func (p period) days() opendata.Days {
	if p.from.IsZero() {
		return opendata.Days{}
	}
	return opendata.Days{From: timestamp.Date{Time: p.from}, To: timestamp.Date{Time: p.to.AddDate(0, 0, -1)}}
}

// months are the months to plot, oldest first: those of the period that have begun, of all time the last twelve.
func (p period) months(now time.Time) []time.Time {
	today := now.In(report.Zone())
	this := time.Date(today.Year(), today.Month(), 1, 0, 0, 0, 0, time.UTC)
	from, to := p.from, p.to
	if from.IsZero() {
		from, to = this.AddDate(0, -11, 0), this.AddDate(0, 1, 0)
	}
	var out []time.Time
	for m := from; m.Before(to) && !m.After(this); m = m.AddDate(0, 1, 0) {
		out = append(out, m)
	}
	return out
}
