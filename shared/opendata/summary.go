package opendata

import (
	"context"
	"fmt"
	"time"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// StatisticsSummary has the figures of the whole system.
type StatisticsSummary struct {
	TotalReports       int            `json:"total_reports"`
	ByStatus           map[string]int `json:"by_status"`
	BySeverity         map[string]int `json:"by_severity"`
	ResolutionRate     float64        `json:"resolution_rate" doc:"Fixed reports among those neither rejected nor duplicate, 0 to 1" example:"0.42"`
	AvgResolutionHours *float64       `json:"avg_resolution_hours" doc:"From creation to fixed, in hours; null when nothing is fixed yet" example:"72.5"`
	ReportsToday       int            `json:"reports_today" doc:"Created since midnight in Dili"`
	ReportsThisWeek    int            `json:"reports_this_week" doc:"Created since Monday"`
	ReportsThisMonth   int            `json:"reports_this_month" doc:"Created since the first of the month"`
	TotalUsers         int            `json:"total_users"`
	BlockchainAnchored int            `json:"blockchain_anchored" doc:"Reports whose events the public ledger has confirmed"`
	AIRejected         int            `json:"ai_rejected" doc:"Reports that the AI check found irrelevant"`
	UpdatedAt          timestamp.Time `json:"updated_at"`
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
		       coalesce((SELECT jsonb_object_agg(severity, n) FROM (SELECT severity, sum(reports) AS n FROM c GROUP BY 1) s), '{}'),
		       coalesce((SELECT sum(resolved) FROM c), 0), coalesce((SELECT sum(seconds) FROM c), 0),
		       coalesce((SELECT sum(anchored) FROM c), 0), coalesce((SELECT sum(ai_rejected) FROM c), 0),
		       coalesce((SELECT sum(created) FROM d WHERE day = $1::date), 0),
		       coalesce((SELECT sum(created) FROM d WHERE day >= date_trunc('week', $1::date)), 0),
		       coalesce((SELECT sum(created) FROM d WHERE day >= date_trunc('month', $1::date)), 0),
		       (SELECT sum(accounts) FROM account_totals) + coalesce((SELECT sum(accounts) FROM account_total_changes), 0)`
	s := &StatisticsSummary{ByStatus: map[string]int{}, BySeverity: map[string]int{}, UpdatedAt: timestamp.Of(now)}
	var resolved, seconds int64
	err := q.QueryRow(ctx, query, today(now)).Scan(&s.ByStatus, &s.BySeverity, &resolved, &seconds, &s.BlockchainAnchored, &s.AIRejected,
		&s.ReportsToday, &s.ReportsThisWeek, &s.ReportsThisMonth, &s.TotalUsers)
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
