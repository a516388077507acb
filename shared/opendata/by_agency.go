package opendata

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// FiguresAgency is an agency in the statistics.
type FiguresAgency struct {
	_          struct{}  `schema:"StatisticsAgency"`
	ID         uuid.UUID `json:"id"`
	Code       string    `json:"code" example:"OP-DILI"`
	Name       string    `json:"name" doc:"In the reader's language" example:"Public Works Dili"`
	AgencyType string    `json:"agency_type" enum:"municipal,national,contractor"`
}

// ByAgency has the figures of one agency: of the reports that it has now. The times begin when it got the report; they are in
// hours, exact to the hour up to 127 hours and to 1 % beyond. The median of an even number is the mean of the two in the middle.
type ByAgency struct {
	_                  struct{}      `schema:"AgencyStatistics"`
	Agency             FiguresAgency `json:"agency"`
	Assigned           int           `json:"assigned" doc:"Reports that the agency has or had when they were closed, without rejected ones"`
	Open               int           `json:"open" doc:"Pending, verified or in progress"`
	Fixed              int           `json:"fixed"`
	Kept               int           `json:"kept" doc:"Fixed by their due date"`
	Reopened           int           `json:"reopened" doc:"Reports whose repair was taken back at least once"`
	Overdue            int           `json:"overdue" doc:"Open, and past their due date"`
	MedianHoursToStart *float64      `json:"median_hours_to_start" doc:"From assignment to in progress; of an even number the mean of the two in the middle; null without any" example:"26"`
	MedianHoursToFix   *float64      `json:"median_hours_to_fix" doc:"From assignment to fixed" example:"71"`
	P90HoursToFix      *float64      `json:"p90_hours_to_fix" doc:"Nine of ten were fixed within" example:"191"`
}

// Days bounds the reports that count by the day in Dili on which they were created, first and last day included. It is the input
// of an operation; the zero value bounds nothing.
type Days struct {
	From timestamp.Date `query:"from" doc:"First day of creation, in Dili" example:"2026-01-01"`
	To   timestamp.Date `query:"to" doc:"Last day of creation, in Dili" example:"2026-12-31"`
}

// byAgency reads the figures of agencies (migration agency_figures). $1 is now, $2 the present day in Dili in days since 1970, $3
// the language, $4 and $5 the days. The placeholder is the table of the figures. The reports due today are counted; those due
// earlier are kept by day.
const byAgency = `
	WITH f AS (SELECT agency_id, measure, bucket, sum(n)::bigint AS n FROM (%s) kept GROUP BY 1, 2, 3 HAVING sum(n) > 0),
	ranked AS (SELECT agency_id, measure, bucket, sum(n) OVER (PARTITION BY agency_id, measure ORDER BY bucket) AS upto,
	                  sum(n) OVER (PARTITION BY agency_id, measure) AS total
	             FROM f WHERE measure IN ('start', 'fix')),
	times AS (SELECT agency_id, min(bucket) FILTER (WHERE measure = 'start' AND upto * 2 >= total) AS start, min(bucket) FILTER (WHERE measure = 'start' AND upto * 2 > total) AS start2,
	                 min(bucket) FILTER (WHERE measure = 'fix' AND upto * 2 >= total) AS fix, min(bucket) FILTER (WHERE measure = 'fix' AND upto * 2 > total) AS fix2,
	                 min(bucket) FILTER (WHERE measure = 'fix' AND upto >= total * 0.9) AS p90
	            FROM ranked GROUP BY 1),
	sums AS (SELECT agency_id, sum(n) FILTER (WHERE measure = 'assigned') AS assigned, sum(n) FILTER (WHERE measure = 'open') AS open,
	                sum(n) FILTER (WHERE measure = 'fixed') AS fixed, sum(n) FILTER (WHERE measure = 'kept') AS kept,
	                sum(n) FILTER (WHERE measure = 'reopened') AS reopened,
	                sum(n) FILTER (WHERE measure = 'open' AND bucket BETWEEN 0 AND $2::bigint - 1) AS overdue
	           FROM f GROUP BY 1),
	today AS (SELECT assigned_agency_id AS agency_id, count(*) AS overdue FROM reports
	           WHERE deleted_at IS NULL AND due_at IS NOT NULL AND status IN ('pending', 'verified', 'in_progress') AND due_paused_at IS NULL
	             AND due_at >= to_timestamp(($2::bigint * 24 - 9) * 3600) AND due_at < $1
	             AND ($4::date IS NULL OR created_at >= $4::date::timestamp AT TIME ZONE '` + Zone + `')
	             AND ($5::date IS NULL OR created_at < ($5::date + 1)::timestamp AT TIME ZONE '` + Zone + `')
	           GROUP BY 1)
	SELECT a.id, a.code, coalesce(nullif(CASE $3 WHEN 'tet' THEN a.name_tet WHEN 'pt' THEN a.name_pt END, ''), a.name), a.agency_type,
	       coalesce(s.assigned, 0), coalesce(s.open, 0), coalesce(s.fixed, 0), coalesce(s.kept, 0), coalesce(s.reopened, 0),
	       coalesce(s.overdue, 0) + coalesce(d.overdue, 0), (bucket_hours(t.start) + bucket_hours(t.start2)) / 2, (bucket_hours(t.fix) + bucket_hours(t.fix2)) / 2, bucket_hours(t.p90)
	  FROM agencies a LEFT JOIN sums s ON s.agency_id = a.id LEFT JOIN times t ON t.agency_id = a.id LEFT JOIN today d ON d.agency_id = a.id
	 WHERE a.deleted_at IS NULL ORDER BY a.code`

// Sources of the figures. someDays reads whole months, from $6 to before $7, from agency_months, and the days of $4 to $5 before and after
// them from agency_days.
const (
	everyDay = `SELECT agency_id, measure, bucket, n FROM agency_totals UNION ALL SELECT agency_id, measure, bucket, n FROM agency_changes`
	someDays = `SELECT agency_id, measure, bucket, n FROM agency_months WHERE month >= $6::date AND month < $7::date UNION ALL
		SELECT agency_id, measure, bucket, n FROM agency_days WHERE day >= coalesce($4::date, '-infinity') AND day < $6::date UNION ALL
		SELECT agency_id, measure, bucket, n FROM agency_days WHERE day >= $7::date AND day <= coalesce($5::date, 'infinity') UNION ALL
		SELECT agency_id, measure, bucket, n FROM agency_changes WHERE day BETWEEN coalesce($4::date, '-infinity') AND coalesce($5::date, 'infinity')`
)

// ReadByAgency returns all agencies by code, also those without a report. The figures equal the lists at now. It fails with a 422
// for days that end before they begin.
func ReadByAgency(ctx context.Context, q database.Querier, now time.Time, days Days) ([]ByAgency, error) {
	if !days.From.IsZero() && !days.To.IsZero() && days.To.Before(days.From.Time) {
		return nil, problem.InvalidField("to", "expected a date that is not before from")
	}
	const secondsOfDay = 24 * 3600
	today := (now.Unix() + 9*3600) / secondsOfDay // in Dili, in days since 1970
	from, to, source := dayOrNil(days.From.Time), dayOrNil(days.To.Time), everyDay
	args := []any{now, today, string(locale.FromContext(ctx)), from, to}
	if from != nil || to != nil {
		source = someDays
		first, end := days.wholeMonths()
		args = append(args, first, end)
	}
	return read(ctx, q, "by agency", func(a *ByAgency) []any {
		return []any{&a.Agency.ID, &a.Agency.Code, &a.Agency.Name, &a.Agency.AgencyType, &a.Assigned, &a.Open, &a.Fixed, &a.Kept, &a.Reopened, &a.Overdue,
			&a.MedianHoursToStart, &a.MedianHoursToFix, &a.P90HoursToFix}
	}, fmt.Sprintf(byAgency, source), args...)
}

// wholeMonths returns the first day of the first month within the days, and the day after the last such month. Without a month within
// them both are the day after the last of the days. For days without a beginning the first is -infinity, for days without an end the second
// is infinity. Days have one of the two.
func (d Days) wholeMonths() (string, string) {
	after := d.To.AddDate(0, 0, 1)
	first, end := firstOfMonth(d.From.AddDate(0, 0, -1)).AddDate(0, 1, 0), firstOfMonth(after)
	switch {
	case d.From.IsZero():
		return "-infinity", end.Format(time.DateOnly)
	case d.To.IsZero():
		return first.Format(time.DateOnly), "infinity"
	case !first.Before(end):
		return after.Format(time.DateOnly), after.Format(time.DateOnly)
	}
	return first.Format(time.DateOnly), end.Format(time.DateOnly)
}

func firstOfMonth(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// dayOrNil is a date as PostgreSQL reads it; nil for the zero time.
func dayOrNil(day time.Time) *string {
	if day.IsZero() {
		return nil
	}
	text := day.Format(time.DateOnly)
	return &text
}
