package opendata

import (
	"context"
	"time"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Period is the step of a trend.
type Period string

// The periods.
const (
	Day   Period = "day"
	Week  Period = "week"
	Month Period = "month"
)

// Trend counts what happened in one period.
type Trend struct {
	Period   timestamp.Date `json:"period" doc:"First day of the period, in Dili"`
	Created  int            `json:"created"`
	Fixed    int            `json:"fixed" doc:"Changes of status to fixed"`
	Rejected int            `json:"rejected" doc:"Changes of status to rejected"`
}

// ReadTrends returns the periods of the last days, up to now and oldest first. The first period may begin before these days.
// Periods without any event are included.
func ReadTrends(ctx context.Context, q database.Querier, now time.Time, p Period, days int) ([]Trend, error) {
	const query = `
		WITH d AS (SELECT day, created, fixed, rejected FROM report_days UNION ALL SELECT day, created, fixed, rejected FROM report_day_changes),
		periods AS (SELECT generate_series(date_trunc($2, $1::date::timestamp - ($3::int - 1) * interval '1 day'), $1::date::timestamp,
		                                   ('1 ' || $2)::interval)::date AS first)
		SELECT first, coalesce(sum(d.created), 0), coalesce(sum(d.fixed), 0), coalesce(sum(d.rejected), 0)
		  FROM periods LEFT JOIN d ON d.day >= first AND d.day < first + ('1 ' || $2)::interval
		 GROUP BY first ORDER BY first`
	return read(ctx, q, "trends", func(t *Trend) []any {
		return []any{&t.Period.Time, &t.Created, &t.Fixed, &t.Rejected}
	}, query, today(now), string(p), days)
}
