// Package opendata reads what is public about all reports together: exports and statistics.
//
// Exports write reports row by row as CSV or GeoJSON. The memory needed does not depend on the number of reports.
// Statistics are kept up to date by triggers (migrations/00011), so they are exact, and reading them costs the same at any
// number of reports.
package opendata

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Zone is the time zone of days, weeks and months.
const Zone = "Asia/Dili"

// current has the totals and the changes that Fold has not yet added to them.
const current = `(SELECT * FROM report_totals UNION ALL SELECT * FROM report_total_changes)`

// Counts has the counts of one group of reports.
type Counts struct {
	Total            int      `json:"total"`
	Pending          int      `json:"pending"`
	Verified         int      `json:"verified"`
	InProgress       int      `json:"in_progress"`
	Fixed            int      `json:"fixed"`
	Rejected         int      `json:"rejected"`
	Duplicate        int      `json:"duplicate"`
	AvgSeverityScore *float64 `json:"avg_severity_score" doc:"1 to 10, average of the reports that have a verdict and a score; null when none has" example:"5.4"`
}

// counts are the columns of Counts, for current under the name c.
const counts = `
	coalesce(sum(c.reports), 0),
	coalesce(sum(c.reports) FILTER (WHERE c.status = 'pending'), 0),
	coalesce(sum(c.reports) FILTER (WHERE c.status = 'verified'), 0),
	coalesce(sum(c.reports) FILTER (WHERE c.status = 'in_progress'), 0),
	coalesce(sum(c.reports) FILTER (WHERE c.status = 'fixed'), 0),
	coalesce(sum(c.reports) FILTER (WHERE c.status = 'rejected'), 0),
	coalesce(sum(c.reports) FILTER (WHERE c.status = 'duplicate'), 0),
	round(sum(c.score_sum) FILTER (WHERE ` + graded + `) / nullif(sum(c.scored) FILTER (WHERE ` + graded + `), 0), 2)::float8`

// graded is true for the reports c with a verdict. Everybody may know their severity.
const graded = `(c.status <> 'pending' OR ` + report.PublishedSQL + `)`

func (c *Counts) fields() []any {
	return []any{&c.Total, &c.Pending, &c.Verified, &c.InProgress, &c.Fixed, &c.Rejected, &c.Duplicate, &c.AvgSeverityScore}
}

// Fold adds the stored changes to the totals and the map cells. Figures stay the same; reading them costs less. The relay
// function calls it.
func Fold(ctx context.Context, q database.Querier) error {
	if _, err := q.Exec(ctx, `SELECT fold_report_totals(), fold_account_totals(), fold_map_cells(), fold_agency_figures(), fold_report_months()`); err != nil {
		return fmt.Errorf("fold statistics: %w", err)
	}
	return nil
}

// dili is UTC+9 all year. It is fixed here because the image of the Lambda functions has no time zone database.
var dili = time.FixedZone(Zone, 9*3600)

// today returns the date in Dili, as YYYY-MM-DD.
func today(now time.Time) string { return now.In(dili).Format(time.DateOnly) }

func rounded(v float64, decimals int) float64 {
	p := math.Pow10(decimals)
	return math.Round(v*p) / p
}

// StatisticsSummary has the figures of the whole system.
type StatisticsSummary struct {
	TotalReports       int            `json:"total_reports"`
	ByStatus           map[string]int `json:"by_status"`
	BySeverity         map[string]int `json:"by_severity" doc:"Of the reports that have a verdict"`
	ResolutionRate     float64        `json:"resolution_rate" doc:"Fixed reports among those neither rejected nor duplicate, 0 to 1" example:"0.42"`
	AvgResolutionHours *float64       `json:"avg_resolution_hours" doc:"From creation to fixed, in hours; null when nothing is fixed yet" example:"72.5"`
	ReportsToday       int            `json:"reports_today" doc:"Created since midnight in Dili, without those that were withdrawn or removed"`
	ReportsThisWeek    int            `json:"reports_this_week" doc:"Created since Monday"`
	ReportsThisMonth   int            `json:"reports_this_month" doc:"Created since the first of the month"`
	TotalUsers         int            `json:"total_users"`
	BlockchainAnchored int            `json:"blockchain_anchored" doc:"Reports whose events the public ledger has confirmed"`
	AIRejected         int            `json:"ai_rejected" doc:"Reports that the AI check found irrelevant"`
	UpdatedAt          timestamp.Time `json:"updated_at" doc:"When a report that counts last changed or was removed; midnight in Dili if that is later"`
}

// ReadSummary returns the figures at now.
func ReadSummary(ctx context.Context, q database.Querier, now time.Time) (*StatisticsSummary, error) {
	const query = `
		WITH c AS (SELECT status, severity, sum(reports) AS reports, sum(resolved) AS resolved, sum(resolution_seconds) AS seconds,
		                  sum(anchored) AS anchored, sum(ai_rejected) AS ai_rejected
		             FROM ` + current + ` c GROUP BY 1, 2),
		d AS (SELECT day, created FROM report_days WHERE day >= date_trunc('month', $1::date) - interval '7 days'
		      UNION ALL SELECT day, created FROM report_day_changes)
		SELECT coalesce((SELECT jsonb_object_agg(status, n) FROM (SELECT status, sum(reports) AS n FROM c GROUP BY 1) s), '{}'),
		       coalesce((SELECT jsonb_object_agg(severity, n) FROM (SELECT severity, sum(reports) AS n FROM c WHERE ` + graded + ` GROUP BY 1) s), '{}'),
		       coalesce((SELECT sum(resolved) FROM c), 0), coalesce((SELECT sum(seconds) FROM c), 0),
		       coalesce((SELECT sum(anchored) FROM c), 0), coalesce((SELECT sum(ai_rejected) FROM c), 0),
		       coalesce((SELECT sum(created) FROM d WHERE day = $1::date), 0),
		       coalesce((SELECT sum(created) FROM d WHERE day >= date_trunc('week', $1::date)), 0),
		       coalesce((SELECT sum(created) FROM d WHERE day >= date_trunc('month', $1::date)), 0),
		       (SELECT sum(accounts) FROM account_totals) + coalesce((SELECT sum(accounts) FROM account_total_changes), 0),
		       greatest((SELECT max(updated_at) FROM reports WHERE deleted_at IS NULL), (SELECT max(deleted_at) FROM reports WHERE deleted_at IS NOT NULL),
		                $1::date::timestamp AT TIME ZONE '` + Zone + `')`
	s := &StatisticsSummary{ByStatus: map[string]int{}, BySeverity: map[string]int{}}
	var resolved, seconds int64
	err := q.QueryRow(ctx, query, today(now)).Scan(&s.ByStatus, &s.BySeverity, &resolved, &seconds, &s.BlockchainAnchored, &s.AIRejected,
		&s.ReportsToday, &s.ReportsThisWeek, &s.ReportsThisMonth, &s.TotalUsers, &s.UpdatedAt.Time)
	if err != nil {
		return nil, fmt.Errorf("read summary: %w", err)
	}
	complete(s.ByStatus, "pending", "verified", "in_progress", "fixed", "rejected", "duplicate")
	complete(s.BySeverity, "low", "medium", "high", "critical")
	for _, n := range s.ByStatus {
		s.TotalReports += n
	}
	if valid := s.TotalReports - s.ByStatus["rejected"] - s.ByStatus["duplicate"]; valid > 0 {
		s.ResolutionRate = rounded(float64(s.ByStatus["fixed"])/float64(valid), 4)
	}
	if resolved > 0 {
		hours := rounded(float64(seconds)/float64(resolved)/3600, 1)
		s.AvgResolutionHours = &hours
	}
	return s, nil
}

// complete adds the keys that are missing, with 0.
func complete(m map[string]int, keys ...string) {
	for _, k := range keys {
		if _, ok := m[k]; !ok {
			m[k] = 0
		}
	}
}

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
	_        struct{}       `schema:"StatisticsTrend"`
	Period   timestamp.Date `json:"period" doc:"First day of the period, in Dili"`
	Created  int            `json:"created" doc:"Without reports that were withdrawn or removed"`
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

// ByType has the counts of one issue type.
type ByType struct {
	_         struct{} `schema:"TypeStatistics"`
	IssueType string   `json:"issue_type" example:"pothole"`
	Counts
}

// ReadByType returns the issue types that have reports, the most frequent first.
func ReadByType(ctx context.Context, q database.Querier) ([]ByType, error) {
	const query = `SELECT c.issue_type, ` + counts + ` FROM ` + current + ` c
		GROUP BY 1 HAVING sum(c.reports) > 0 ORDER BY 2 DESC, 1`
	return read(ctx, q, "by type", func(t *ByType) []any { return append([]any{&t.IssueType}, t.fields()...) }, query)
}

// ByMunicipality has the counts of one municipality.
type ByMunicipality struct {
	_            struct{} `schema:"MunicipalityStatistics"`
	Municipality string   `json:"municipality" example:"Dili"`
	Code         string   `json:"code" example:"TL-DI"`
	Counts
	Latitude  float64 `json:"latitude" doc:"Of the centre, degrees WGS 84"`
	Longitude float64 `json:"longitude" doc:"Of the centre, degrees WGS 84"`
}

// ReadByMunicipality returns all 14 municipalities by name, also those without a report.
func ReadByMunicipality(ctx context.Context, q database.Querier) ([]ByMunicipality, error) {
	const query = `SELECT m.name, m.code, ` + counts + `, m.latitude, m.longitude
		FROM municipalities m LEFT JOIN ` + current + ` c ON c.municipality_code = m.code
		GROUP BY m.code ORDER BY m.name`
	return read(ctx, q, "by municipality", func(m *ByMunicipality) []any {
		return append(append([]any{&m.Municipality, &m.Code}, m.fields()...), &m.Latitude, &m.Longitude)
	}, query)
}

// ByDistrict has the counts of one administrative post.
type ByDistrict struct {
	_            struct{} `schema:"DistrictStatistics"`
	District     string   `json:"district" example:"Cristo Rei"`
	Municipality string   `json:"municipality" example:"Dili"`
	Counts
}

// ReadByDistrict returns the districts that have reports, of one municipality (code or name) or of all when it is empty. What
// reporters typed is no district while everybody sees none of the reports that name it: they are pending, rejected, or their words
// are hidden. A name of the boundaries always is one.
func ReadByDistrict(ctx context.Context, q database.Querier, municipality string) ([]ByDistrict, error) {
	const (
		known  = `EXISTS (SELECT FROM boundaries b WHERE b.level = 'district' AND b.name = c.district)`
		hidden = `SELECT (report_contribution(r, -1)).* FROM reports r
			WHERE r.words_hidden IS NOT NULL AND r.deleted_at IS NULL AND r.district <> '' AND NOT ` + report.KnownDistrictSQL
		query = `SELECT c.district, m.name, ` + counts + `
			FROM (SELECT * FROM ` + current + ` c UNION ALL ` + hidden + `) c JOIN municipalities m ON m.code = c.municipality_code
			WHERE c.district <> '' AND (c.status <> 'pending' OR ` + known + ` OR ` + report.PublishedSQL + `) AND ($1 = '' OR EXISTS (
			      SELECT 1 FROM unnest(m.aliases || ARRAY[m.code, m.name, m.name_tet, m.name_pt]) a WHERE fold_name(a) = fold_name($1)))
			GROUP BY 1, 2 HAVING sum(c.reports) > 0 AND (` + known + ` OR sum(c.reports) FILTER (WHERE c.status <> 'rejected') > 0)
			ORDER BY 2, 1`
	)
	return read(ctx, q, "by district", func(d *ByDistrict) []any {
		return append([]any{&d.District, &d.Municipality}, d.fields()...)
	}, query, municipality)
}

// read runs a query and scans each row into the fields that into returns.
func read[T any](ctx context.Context, q database.Querier, what string, into func(*T) []any, query string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read statistics %s: %w", what, err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (T, error) {
		var v T
		err := row.Scan(into(&v)...)
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("read statistics %s: %w", what, err)
	}
	return out, nil
}
