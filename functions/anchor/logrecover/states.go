package logrecover

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// newest is the newest event of each report with an event from log index $1 on.
const newest = `(SELECT DISTINCT ON (report_id) report_id, convert_from(payload, 'UTF8')::jsonb AS p
	FROM ledger_events WHERE log_index >= $1 AND report_id IS NOT NULL ORDER BY report_id, seq DESC) e`

// moved is the newest event of report e, from log index $1 on, that moved it, took it down or upheld its rejection.
const moved = `(SELECT created_at, convert_from(payload, 'UTF8')::jsonb AS p FROM ledger_events w
	WHERE w.report_id = e.report_id AND log_index >= $1 AND (event_type IN ('STATUS_CHANGED', 'DISPUTED', 'REPORT_WITHDRAWN')
	  OR event_type = 'AI_VALIDATED' AND convert_from(payload, 'UTF8')::jsonb ? 'reason_code') ORDER BY seq DESC LIMIT 1) m`

// last is the newest event of report e, from log index $1 on, that moved it or took it down: whether it took it down, and the kind
// of the actor.
const last = `(SELECT created_at, event_type = 'REPORT_WITHDRAWN' OR p ->> 'status' = 'rejected' AS down, p #>> '{changed_by,kind}' AS kind
	FROM ledger_events w, LATERAL (SELECT convert_from(payload, 'UTF8')::jsonb AS p) said
	WHERE w.report_id = e.report_id AND log_index >= $1 AND (event_type = 'REPORT_WITHDRAWN' OR p ? 'old_status') ORDER BY seq DESC LIMIT 1) l`

// moves are the changes of status of report r from log index $1 on.
const moves = `(SELECT created_at AS at, convert_from(payload, 'UTF8')::jsonb ->> 'status' AS status FROM ledger_events w
	WHERE w.report_id = r.id AND log_index >= $1 AND convert_from(payload, 'UTF8')::jsonb ? 'old_status') moves`

const (
	// setStates gives the reports the state of their newest event. The reports that were added, $2, are where that says. A report
	// was taken down if any of its events says so: its words may have been erased since.
	setStates = `
UPDATE reports r SET issue_type = e.p ->> 'issue_type', status = e.p ->> 'status', severity = coalesce(e.p ->> 'severity', r.severity),
       severity_score = CASE WHEN r.severity = coalesce(e.p ->> 'severity', r.severity) THEN r.severity_score END,
       priority = coalesce(e.p ->> 'priority', r.priority), is_anonymous = coalesce((e.p ->> 'anonymous')::boolean, false),
       source = coalesce(e.p ->> 'source', r.source), municipality_code = e.p ->> 'municipality',
       municipality = CASE WHEN r.municipality_code IS DISTINCT FROM e.p ->> 'municipality'
                           THEN (SELECT name FROM municipalities WHERE code = e.p ->> 'municipality') ELSE r.municipality END,
       assigned_agency_id = (SELECT id FROM agencies WHERE code = e.p ->> 'agency'), due_at = (e.p ->> 'due_at')::timestamptz,
       duplicate_of = (SELECT o.id FROM reports o WHERE o.report_number = e.p ->> 'duplicate_of'),
       latitude  = CASE WHEN r.id = ANY($2::uuid[]) THEN (e.p #>> '{location,lat}')::float8 ELSE latitude END,
       longitude = CASE WHEN r.id = ANY($2::uuid[]) THEN (e.p #>> '{location,lon}')::float8 ELSE longitude END,
       resolved_at = CASE WHEN e.p ->> 'status' = 'fixed' THEN coalesce((SELECT max(at) FROM ` + moves + `), r.resolved_at) END,
       verified_at = coalesce(r.verified_at, (SELECT min(at) FROM ` + moves + ` WHERE status = 'verified')),
       rejection_reason = CASE WHEN e.p ->> 'status' = 'rejected' THEN r.rejection_reason END,
       deleted_at = coalesce(r.deleted_at, (SELECT max(w.created_at) FROM ledger_events w WHERE w.report_id = r.id AND w.event_type = 'REPORT_WITHDRAWN')),
       removed_at = CASE WHEN l.down IS NULL THEN r.removed_at WHEN l.down THEN l.created_at END,
       removed_by = CASE WHEN l.down IS NULL THEN r.removed_by WHEN l.down THEN
                         CASE l.kind WHEN 'citizen' THEN 'reporter' WHEN 'ai' THEN 'ai' WHEN 'admin' THEN 'admin' ELSE 'moderator' END END,
       ai_status = CASE WHEN r.id = ANY($2::uuid[]) AND e.p ->> 'status' <> 'pending' THEN 'completed' ELSE r.ai_status END,
       reason_code = CASE WHEN m.p IS NULL THEN r.reason_code ELSE m.p ->> 'reason_code' END, blockchain_status = 'queued', version = version + 1, updated_at = now()
  FROM ` + newest + ` LEFT JOIN LATERAL ` + moved + ` ON true LEFT JOIN LATERAL ` + last + ` ON true WHERE r.id = e.report_id AND e.p ->> 'v' = '2'`
	// addHistory adds the moves to the status history, without their notes and persons.
	addHistory = `
INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind, agency_id, seq, created_at)
SELECT gen_random_uuid(), e.report_id, p ->> 'old_status', p ->> 'status', p #>> '{changed_by,kind}',
       (SELECT id FROM agencies WHERE code = p #>> '{changed_by,agency}'), seq, created_at
  FROM ledger_events e, LATERAL (SELECT convert_from(payload, 'UTF8')::jsonb AS p) said
 WHERE log_index >= $1 AND p ->> 'v' = '2' AND (event_type = 'REPORT_SUBMITTED' OR p ? 'old_status')`
	// setNumbers makes sure that no number is given out again.
	setNumbers = `
INSERT INTO report_numbers (year, last)
SELECT split_part(report_number, '-', 2)::integer, max(split_part(report_number, '-', 3)::integer) FROM reports
 WHERE id = ANY($1) GROUP BY 1
ON CONFLICT (year) DO UPDATE SET last = greatest(report_numbers.last, excluded.last)`
)

// erased are the events whose salts went by a CONTENT_ERASED from log index $1 on.
const erased = `(SELECT report_id, s::integer AS seq FROM ledger_events, jsonb_array_elements_text(convert_from(payload, 'UTF8')::jsonb -> 'erased') s
	WHERE log_index >= $1 AND event_type = 'CONTENT_ERASED') x`

// forget blanks again what was erased after the backup was made. Whoever erased it has an account again: res names it.
func forget(ctx context.Context, tx *outbox.Tx, res *Result) error {
	reports := database.AskRows(tx, pgx.RowTo[uuid.UUID], `SELECT report_id FROM `+erased+` WHERE seq = 1`, res.From)
	accounts := database.AskRows(tx, pgx.RowTo[string], `SELECT DISTINCT u.id::text FROM users u JOIN reports r ON r.user_id = u.id JOIN `+erased+
		` ON x.report_id = r.id WHERE x.seq = 1 AND u.deleted_at IS NULL`, res.From)
	for _, statement := range []string{
		`DELETE FROM report_salts s USING ` + erased + ` WHERE s.report_id = x.report_id AND s.seq = x.seq`,
		`UPDATE report_comments c SET content = '' FROM ` + erased + ` WHERE c.report_id = x.report_id AND c.seq = x.seq`,
		`UPDATE report_status_history h SET note = NULL FROM ` + erased + ` WHERE h.report_id = x.report_id AND h.seq = x.seq`,
	} {
		tx.Queue(statement, res.From)
	}
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("forget what was erased: %w", err)
	}
	res.Accounts = accounts.Get()
	return report.BlankWords(tx, reports.Get())
}
