package staff

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (g *Group) registerLog(api *httpapi.API) {
	httpapi.Register(api, httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodGet, Path: "/api/v1/reports/{id}/log", Tags: []string{name}, Summary: "Read everything that was done to a report",
			Description: fmt.Sprintf("By people, the AI and the system, oldest first, the newest %d. from and to are statuses, or the members that changed. "+
				"Who flagged a report, and whose an anonymous one is, is for moderators and administrators.", maxLogged),
		},
		Roles: identity.Staff(), Cache: httpapi.Never,
	}.WithProblems(report.Problems()...), g.reportLog)
}

// maxLogged is how many entries of a log are listed.
const maxLogged = 500

// LogEntry is one thing that was done to a report.
type LogEntry struct {
	_      struct{}       `schema:"ReportLogEntry"`
	At     timestamp.Time `json:"at"`
	Actor  LogActor       `json:"actor"`
	Action string         `json:"action" example:"report.status"`
	From   any            `json:"from,omitempty" doc:"A status, or the members that changed, as they were"`
	To     any            `json:"to,omitempty" doc:"A status, or the members that changed, as they are"`
	Note   *string        `json:"note,omitempty"`
}

// LogActor is who did it.
type LogActor struct {
	ID       *uuid.UUID `json:"id" doc:"null for the AI, the system, other systems and people who deleted their account"`
	FullName *string    `json:"full_name" doc:"Of a person, or of another system that wrote over Open311"`
	Role     string     `json:"role" doc:"At the time: citizen, moderator, government_official, admin, ai or system"`
	Agency   *string    `json:"agency" doc:"Code of an official's agency"`
}

// logQuery reads the log of report $1; $3 is the most entries, $4 whether the caller learns who flagged, and whose an anonymous report
// is. Moves come from the status history, notes and flags from their tables, which have the words; the audit log has the rest of what
// staff did, and the ledger what reporters did and what the system found. Whoever made the flag that hid something is in the audit
// log, but the system hid it.
const logQuery = `
WITH this AS (SELECT r.id, r.user_id, r.api_key_id, r.is_anonymous, r.appeal_reason, r.removal_note FROM reports r WHERE r.id = ` + report.IDSQL + `),
log AS (
	SELECT h.created_at AS at, 1 AS place, h.id, CASE WHEN h.old_status IS NULL THEN coalesce(h.actor_id, this.api_key_id) ELSE h.actor_id END AS actor, h.actor_kind AS role, h.agency_id AS agency,
	       CASE WHEN h.old_status IS NULL THEN 'report.create'
	            WHEN EXISTS (SELECT FROM report_disputes d WHERE d.report_id = this.id AND d.seq = h.seq) THEN 'report.dispute'
	            ELSE 'report.status' END AS action, to_jsonb(h.old_status) AS before, to_jsonb(h.new_status) AS after, h.note
	  FROM this JOIN report_status_history h ON h.report_id = this.id
	UNION ALL
	SELECT l.at, 2, l.id, CASE WHEN hidden THEN NULL ELSE l.actor_id END, CASE WHEN hidden THEN 'system' ELSE l.actor_role END, NULL, l.action,
	       ` + changedBeforeSQL + `, ` + changedAfterSQL + `, CASE l.action
	           WHEN 'report.appeal' THEN this.appeal_reason
	           WHEN 'report.ai_override' THEN (SELECT n.relevance_reason FROM ai_analyses n WHERE n.report_id = this.id AND n.stage = 'override' AND n.created_at = l.at LIMIT 1)
	           ELSE coalesce(l.after ->> 'note', l.after ->> 'reason') END
	  FROM this JOIN audit_log l ON l.entity = 'report' AND l.entity_id = this.id::text
	    OR l.entity = 'comment' AND l.entity_id = ANY(ARRAY(SELECT c.id::text FROM report_comments c WHERE c.report_id = this.id))
	    OR l.entity = 'image' AND l.entity_id = ANY(ARRAY(SELECT i.id::text FROM report_images i WHERE i.report_id = this.id)),
	       LATERAL (SELECT coalesce(l.after ->> 'hidden' = 'flags', false) AS hidden, l.action IN ('report.amend', 'report.ai_override') AS partial) k
	 WHERE l.action NOT IN ('report.create', 'report.status', 'report.dispute', 'report.note', 'report.flag', 'comment.flag', 'comment.add')
	UNION ALL
	SELECT n.created_at, 3, n.id, n.author_id, coalesce(u.role, 'system'), NULL, 'report.note', NULL, NULL, n.content
	  FROM this JOIN report_notes n ON n.report_id = this.id LEFT JOIN users u ON u.id = n.author_id
	UNION ALL
	SELECT n.created_at, 4, n.id, NULL, 'ai', NULL, 'report.ai_verdict', NULL, to_jsonb(n.status), n.relevance_reason
	  FROM this JOIN ai_analyses n ON n.report_id = this.id AND n.stage = 'verdict'
	UNION ALL
	SELECT c.created_at, 5, c.id, coalesce(c.author_id, c.api_key_id), CASE WHEN c.is_official THEN coalesce(u.role, 'moderator') ELSE 'citizen' END, NULL, 'comment.add', NULL, to_jsonb(c.id), NULL
	  FROM this JOIN report_comments c ON c.report_id = this.id LEFT JOIN users u ON u.id = c.author_id
	UNION ALL
	SELECT f.created_at, 6, f.id, CASE WHEN $4 THEN f.user_id END, 'citizen', NULL, CASE WHEN f.comment_id IS NULL THEN 'report.flag' ELSE 'comment.flag' END,
	       NULL, jsonb_build_object('reason_code', f.reason_code, 'comment_id', f.comment_id, 'outcome', f.outcome), f.note
	  FROM this JOIN report_flags f ON f.report_id = this.id
	UNION ALL
	SELECT e.created_at, 7, this.id, CASE WHEN k.kind = 'citizen' AND e.event_type IN ('CONTENT_AMENDED', 'REPORT_WITHDRAWN') THEN this.user_id END, k.kind, NULL,
	       CASE e.event_type WHEN 'CONTENT_AMENDED' THEN 'report.amend' WHEN 'REPORT_WITHDRAWN' THEN 'report.withdraw' WHEN 'COMMENT_REMOVED' THEN 'comment.remove'
	            ELSE 'report.erase' END,
	       NULL, NULL, CASE WHEN e.event_type = 'REPORT_WITHDRAWN' THEN this.removal_note END
	  FROM this JOIN ledger_events e ON e.report_id = this.id,
	       LATERAL (SELECT convert_from(e.payload, 'UTF8')::jsonb #>> '{changed_by,kind}' AS kind) k
	 WHERE e.event_type IN ('CONTENT_AMENDED', 'REPORT_WITHDRAWN', 'COMMENT_REMOVED', 'CONTENT_ERASED') AND k.kind IN ('citizen', 'system')
	   AND NOT EXISTS (SELECT FROM audit_log l WHERE l.entity = 'report' AND l.entity_id = this.id::text AND l.action = 'report.amend' AND l.at = e.created_at))
SELECT l.at, u.id, coalesce(nullif(u.full_name, ''), k.name), l.role, g.code, l.action, l.before, l.after, nullif(l.note, '')
  FROM (SELECT * FROM log ORDER BY at DESC, place DESC, id DESC LIMIT $3) l
  CROSS JOIN this LEFT JOIN users u ON u.id = l.actor AND u.deleted_at IS NULL AND ($4 OR NOT this.is_anonymous OR u.id IS DISTINCT FROM this.user_id)
  LEFT JOIN api_keys k ON k.id = l.actor
  LEFT JOIN agencies g ON g.id = coalesce(l.agency, CASE WHEN l.role = 'government_official' THEN u.agency_id END)
 ORDER BY l.at, l.place, l.id`

// The members of an audit entry l that changed, and those that only one side has. In an entry that is partial, null says that a
// member was not changed. The note is a member of the entry of the log.
const (
	changedBeforeSQL = `CASE jsonb_typeof(l.before) WHEN 'object' THEN (SELECT jsonb_object_agg(key, value) FROM jsonb_each(l.before)
		WHERE value IS DISTINCT FROM coalesce(l.after -> key, 'null') AND NOT (partial AND coalesce(l.after -> key = 'null', false))) ELSE nullif(l.before, 'null') END`
	changedAfterSQL = `CASE jsonb_typeof(l.after) WHEN 'object' THEN (SELECT jsonb_object_agg(key, value) FROM jsonb_each(l.after)
		WHERE value IS DISTINCT FROM coalesce(l.before -> key, 'null') AND NOT (partial AND value = 'null') AND key <> 'note') ELSE nullif(l.after, 'null') END`
)

func scanLogEntry(row pgx.CollectableRow) (LogEntry, error) {
	var e LogEntry
	var at time.Time
	var before, after *json.RawMessage
	err := row.Scan(&at, &e.Actor.ID, &e.Actor.FullName, &e.Actor.Role, &e.Actor.Agency, &e.Action, &before, &after, &e.Note)
	e.At = timestamp.Of(at)
	if before != nil {
		e.From = *before
	}
	if after != nil {
		e.To = *after
	}
	return e, err
}

type logOutput struct{ Body []LogEntry }

// reportLog answers in one round trip.
func (g *Group) reportLog(ctx context.Context, in *report.RefInput) (*logOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	caller := identity.Must(ctx)
	batch := &database.Batch{}
	reportread.ViewerOf(caller).MayRead(batch, about)
	all := database.AskRows(batch, scanLogEntry, logQuery, about.Args(maxLogged, caller.Role != identity.Official)...)
	if err := batch.Send(ctx, g.db); err != nil {
		return nil, fmt.Errorf("read log of report: %w", err)
	}
	return &logOutput{Body: all.Get()}, nil
}
