package generate

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// counts are the tasks that write what the disabled triggers would have written, and fold it with the functions that relay
// uses. Rows are added up before they are folded: one change for each report would be slower than the reports themselves.
func counts() []task {
	return []task{
		statements("months", `SELECT count_months()`),
		statements("map cells", `
			INSERT INTO map_cell_changes SELECT avg(longitude), avg(latitude), issue_type, status, count(*)
			  FROM reports WHERE deleted_at IS NULL AND status <> 'rejected' GROUP BY map_column(longitude, 12), map_row(latitude, 12), issue_type, status`,
			`SELECT fold_map_cells()`),
		statements("agencies", `
			INSERT INTO agency_changes SELECT c.agency_id, c.day, c.measure, c.bucket, sum(c.n) FROM reports r, LATERAL agency_contribution(r, 1) c
			 WHERE r.assigned_agency_id IS NOT NULL GROUP BY 1, 2, 3, 4`,
			`SELECT fold_agency_figures()`),
		statements("totals", `
			INSERT INTO report_total_changes
			SELECT (c).municipality_code, (c).district, (c).issue_type, (c).status, (c).severity, sum((c).reports), sum((c).scored), sum((c).score_sum),
			       sum((c).resolved), sum((c).resolution_seconds), sum((c).anchored), sum((c).ai_rejected)
			  FROM (SELECT report_contribution(r, 1) AS c FROM reports r WHERE r.deleted_at IS NULL OFFSET 0) x GROUP BY 1, 2, 3, 4, 5`,
			`INSERT INTO report_day_changes (day, created) SELECT (created_at AT TIME ZONE 'Asia/Dili')::date, count(*) FROM reports GROUP BY 1`,
			`INSERT INTO report_day_changes (day, fixed, rejected)
			SELECT (created_at AT TIME ZONE 'Asia/Dili')::date, count(*) FILTER (WHERE new_status = 'fixed'), count(*) FILTER (WHERE new_status = 'rejected')
			  FROM report_status_history WHERE new_status IN ('fixed', 'rejected') GROUP BY 1`,
			`SELECT fold_report_totals()`),
		statements("accounts", `INSERT INTO account_total_changes SELECT count(*) FROM users WHERE email IS NOT NULL`, `SELECT fold_account_totals()`, `
			UPDATE users u SET reports_count = c.created, fixed_reports_count = c.fixed FROM (
				SELECT user_id, count(*) AS created, count(*) FILTER (WHERE status = 'fixed') AS fixed
				  FROM reports WHERE deleted_at IS NULL GROUP BY 1) c WHERE u.id = c.user_id`),
	}
}

// Check counts again what the counters hold (decision 0010) and returns the first difference as an error. It reads every
// row.
func Check(ctx context.Context, db database.Querier) error {
	for _, c := range []struct{ what, differ string }{
		{"totals", `
			SELECT municipality_code, issue_type || '/' || status || '/' || severity, sum(kept), sum(counted) FROM (
				SELECT municipality_code, district, issue_type, status, severity, reports + 1000000 * score_sum + resolution_seconds AS kept, 0 AS counted FROM report_totals
				UNION ALL SELECT municipality_code, district, issue_type, status, severity, reports + 1000000 * score_sum + resolution_seconds, 0 FROM report_total_changes
				UNION ALL SELECT coalesce(municipality_code, ''), coalesce(district, ''), issue_type, status, severity, 0,
					1 + 1000000 * coalesce(severity_score, 0) + coalesce(extract(epoch FROM resolved_at - created_at), 0)::bigint FROM reports WHERE deleted_at IS NULL) x
			 GROUP BY municipality_code, district, issue_type, status, severity HAVING sum(kept) <> sum(counted) LIMIT 1`},
		{"days", `
			SELECT day::text, '', sum(kept), sum(counted) FROM (
				SELECT day, created AS kept, 0 AS counted FROM report_days UNION ALL SELECT day, created, 0 FROM report_day_changes
				UNION ALL SELECT (created_at AT TIME ZONE 'Asia/Dili')::date, 0, 1 FROM reports) x
			 GROUP BY day HAVING sum(kept) <> sum(counted) LIMIT 1`},
		{"changes to fixed", `
			SELECT day::text, '', sum(kept), sum(counted) FROM (
				SELECT day, fixed AS kept, 0 AS counted FROM report_days UNION ALL SELECT day, fixed, 0 FROM report_day_changes
				UNION ALL SELECT (created_at AT TIME ZONE 'Asia/Dili')::date, 0, 1 FROM report_status_history WHERE new_status = 'fixed') x
			 GROUP BY day HAVING sum(kept) <> sum(counted) LIMIT 1`},
		{"months", `
			SELECT month || ' ' || municipality_code, issue_type || '/' || measure, sum(kept), sum(counted) FROM (
				SELECT month, municipality_code, issue_type, measure, n AS kept, 0 AS counted FROM report_months
				UNION ALL SELECT month, municipality_code, issue_type, measure, n, 0 FROM report_month_changes
				UNION ALL SELECT dili_month(created_at), coalesce(municipality_code, ''), issue_type, status, 0, 1 FROM reports WHERE deleted_at IS NULL) x
			 WHERE measure IN ('pending', 'verified', 'in_progress', 'fixed', 'rejected', 'duplicate')
			 GROUP BY month, municipality_code, issue_type, measure HAVING sum(kept) <> sum(counted) LIMIT 1`},
		{"agencies by month", `
			SELECT month::text, measure || ' ' || bucket, sum(kept), sum(counted) FROM (
				SELECT month, agency_id, measure, bucket, n AS kept, 0 AS counted FROM agency_months
				UNION ALL SELECT date_trunc('month', day::timestamp)::date, agency_id, measure, bucket, n, 0 FROM agency_changes
				UNION ALL SELECT date_trunc('month', c.day::timestamp)::date, c.agency_id, c.measure, c.bucket, 0, c.n FROM reports r, LATERAL agency_contribution(r, 1) c) x
			 GROUP BY month, agency_id, measure, bucket HAVING sum(kept) <> sum(counted) LIMIT 1`},
		{"map cells", `
			SELECT x || '/' || y, issue_type || '/' || status, sum(kept), sum(counted) FROM (
				SELECT x, y, issue_type, status, reports AS kept, 0 AS counted FROM map_cells WHERE zoom = 12
				UNION ALL SELECT map_column(longitude, 12), map_row(latitude, 12), issue_type, status, reports, 0 FROM map_cell_changes
				UNION ALL SELECT map_column(longitude, 12), map_row(latitude, 12), issue_type, status, 0, 1 FROM reports
					WHERE deleted_at IS NULL AND status <> 'rejected') c
			 GROUP BY x, y, issue_type, status HAVING sum(kept) <> sum(counted) LIMIT 1`},
		{"accounts", `
			SELECT '', '', kept, counted FROM (SELECT (SELECT sum(accounts) FROM account_totals) + coalesce((SELECT sum(accounts) FROM account_total_changes), 0) AS kept,
				(SELECT count(*) FROM users WHERE email IS NOT NULL) AS counted) x WHERE kept <> counted`},
		{"comments", `
			SELECT r.report_number, '', r.comments_count, c.n FROM reports r
			  JOIN (SELECT report_id, count(*) AS n FROM report_comments WHERE deleted_at IS NULL GROUP BY 1) c ON c.report_id = r.id
			 WHERE r.comments_count <> c.n LIMIT 1`},
	} {
		rows, err := db.Query(ctx, c.differ)
		if err != nil {
			return fmt.Errorf("recount %s: %w", c.what, err)
		}
		var group, kind string
		var kept, counted int64
		_, err = pgx.ForEachRow(rows, []any{&group, &kind, &kept, &counted}, func() error {
			return fmt.Errorf("%s %s: kept %d, counted %d", group, kind, kept, counted)
		})
		if err != nil {
			return fmt.Errorf("recount %s: %w", c.what, err)
		}
	}
	return nil
}
