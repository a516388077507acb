package staff

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/idempotency"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ids"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

func (g *Group) registerOverride(api *httpapi.API) {
	op := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: "/api/v1/reports/{id}/ai-analysis/override", Tags: []string{name},
			Summary: "Put a person's judgement in place of the AI's",
			Description: "Recorded as an analysis of its own beside the AI's. A pending report becomes verified or rejected; a " +
				"rejected one found relevant comes back and is verified, one found irrelevant again stays rejected.",
			Errors: []int{http.StatusConflict},
		},
		Roles: identity.Staff(), Creates: true,
	}
	httpapi.Register(api, op, g.override)
}

type overrideInput struct {
	RefInput
	Body struct {
		_          struct{} `additionalProperties:"true"`
		IsRelevant bool     `json:"is_relevant"`
		IssueType  *string  `json:"issue_type,omitempty" example:"pothole"`
		Severity   *string  `json:"severity,omitempty" example:"high"`
		Note       string   `json:"note" minLength:"1" maxLength:"2000" doc:"Why; of a rejection it is the reason the reporter reads"`
	}
}

// judgement is an override understood.
type judgement struct {
	relevant  bool
	issueType *report.IssueType
	severity  *report.Severity
	note      string
}

func (in *overrideInput) judgement() (judgement, error) {
	j := judgement{relevant: in.Body.IsRelevant, note: strings.TrimSpace(in.Body.Note)}
	if j.note == "" {
		return judgement{}, problem.InvalidField("note", "says nothing")
	}
	if in.Body.IssueType != nil {
		t, known := report.ParseIssueType(*in.Body.IssueType)
		if !known {
			return judgement{}, problem.InvalidField("issue_type", "not an issue type")
		}
		j.issueType = &t
	}
	if in.Body.Severity != nil {
		s, known := report.ParseSeverity(*in.Body.Severity)
		if !known {
			return judgement{}, problem.InvalidField("severity", "not a severity")
		}
		j.severity = &s
	}
	return j, nil
}

func (g *Group) override(ctx context.Context, in *overrideInput) (*reportOutput, error) {
	j, err := in.judgement()
	if err != nil {
		return nil, err
	}
	id, err := in.ID.Resolve(ctx, g.db)
	if err != nil {
		return nil, err
	}
	caller := identity.Must(ctx)
	var out report.Report
	err = g.outbox.Do(ctx, func(w *outbox.Work) error {
		h, err := report.Hold(ctx, w, id)
		if err != nil {
			return err
		}
		if err := j.record(ctx, w, h, caller); err != nil {
			return err
		}
		for _, to := range j.moves(h.Status) {
			m := report.Move{ReportID: id, To: to, By: report.ActorOf(caller), Note: j.note}
			if _, err := report.Transition(ctx, w, m); err != nil {
				return err
			}
		}
		if out, err = g.reader.In(w).Report(ctx, report.ViewerOf(caller), id); err != nil {
			return err
		}
		return idempotency.Record(ctx, w, http.StatusOK, out)
	})
	if err != nil {
		return nil, err
	}
	return answer(out), nil
}

// moves are the changes of status a judgement means for a report that stands at from.
func (j judgement) moves(from report.Status) []report.Status {
	switch {
	case j.relevant && from == report.Pending:
		return []report.Status{report.Verified}
	case j.relevant && from == report.Rejected:
		return []report.Status{report.Pending, report.Verified}
	case !j.relevant && from != report.Rejected:
		return []report.Status{report.Rejected}
	}
	return nil
}

// record writes the judgement beside the AI's, into the report, and into the ledger.
func (j judgement) record(ctx context.Context, w *outbox.Work, h report.Held, c identity.Caller) error {
	status := report.AICompleted
	if !j.relevant {
		status = report.AIRejected
	}
	analysis := ids.New()
	const insert = `
		INSERT INTO ai_analyses (id, report_id, run_id, stage, model, prompt_version, input_hash, status, is_relevant,
			relevance_confidence, relevance_reason, issue_type, severity)
		VALUES ($1, $2, $3, 'override', 'person', '', '', $4, $5, 1, $6, $7, $8)`
	if _, err := w.Exec(ctx, insert, analysis, h.ID, uuid.New(), status, j.relevant, j.note, j.issueType, j.severity); err != nil {
		return fmt.Errorf("record override: %w", err)
	}
	const update = `
		UPDATE reports SET ai_status = $2, ai_analysis_id = $3, issue_type = coalesce($4, issue_type),
			severity = coalesce($5, severity), version = version + 1, updated_at = now()
		WHERE id = $1 RETURNING now(), severity`
	var at time.Time
	var severity string
	if err := w.QueryRow(ctx, update, h.ID, status, analysis, j.issueType, j.severity).Scan(&at, &severity); err != nil {
		return fmt.Errorf("apply override: %w", err)
	}
	event := ledger.Event{ReportID: h.ID, Type: ledger.AIValidated, At: at,
		AI: &ledger.Assessment{Relevant: j.relevant, Confidence: 1, Severity: severity, Model: "person"}}
	if err := report.Event(ctx, w, event, report.ActorOf(c)); err != nil {
		return err
	}
	return audit.Record(ctx, w, audit.Entry{Action: "report.ai_override", Entity: "report", EntityID: h.ID.String(),
		Before: map[string]any{"ai_status": h.AIStatus, "issue_type": h.IssueType, "severity": h.Severity},
		After:  map[string]any{"ai_status": status, "is_relevant": j.relevant, "issue_type": j.issueType, "severity": j.severity}})
}
