package staff

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

// stageOverride is the stage of an analysis that a person made.
const stageOverride = "override"

func (g *Group) registerOverride(api *httpapi.API) {
	op := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: "/api/v1/reports/{id}/ai-analysis/override", Tags: []string{name},
			Summary: "Replace the AI's verdict with a person's",
			Description: "The person's verdict is recorded as a new analysis; the AI's stays in the list. A relevant report that " +
				"is pending or rejected becomes verified. A report that is not relevant becomes rejected, or stays rejected; if " +
				"its reporter appealed, they are told why.",
		},
		Roles: identity.Staff(), Creates: true,
	}
	httpapi.Register(api, op.WithProblems(reportwrite.OverrideProblems()...).WithProblems(reportwrite.Problems()...).WithProblems(errForbidden), g.override)
}

type overrideInput struct {
	report.RefInput
	Body struct {
		_          struct{} `schema:"AnalysisOverride"`
		IsRelevant bool     `json:"is_relevant"`
		IssueType  *string  `json:"issue_type,omitempty" words:"issue_type" example:"pothole"`
		Severity   *string  `json:"severity,omitempty" words:"severity" example:"high"`
		Note       string   `json:"note" minLength:"1" maxLength:"2000" doc:"Why. Staff alone read it; where the report is rejected, its reporter does too"`
		// ExpectedVersion is compared with the present version.
		ExpectedVersion *int `json:"expected_version,omitempty" doc:"409 stale when the report has another version"`
	}
}

// judgement is the checked input of an override.
type judgement struct {
	relevant  bool
	issueType *report.IssueType
	severity  *report.Severity
	note      string
}

// judgement checks the input. The error is a *problem.Error about one field.
func (in *overrideInput) judgement() (judgement, error) {
	j := judgement{relevant: in.Body.IsRelevant, note: strings.TrimSpace(in.Body.Note)}
	if j.note == "" {
		return judgement{}, problem.InvalidField("note", "is empty")
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
	return g.change(ctx, in.ID, in.Body.ExpectedVersion, func(tx *outbox.Tx, h *reportwrite.Locked) error {
		from, by := h.Status, report.ActorOf(identity.Must(ctx))
		if err := mayOverride(h, by, j); err != nil {
			return err
		}
		was := *h
		appealed := h.Appealed && h.AIStatus == report.AINeedsReview // the appeal is still open
		if err := j.record(ctx, tx, h, by); err != nil {
			return err
		}
		for _, to := range j.moves(from) {
			if err := h.Move(ctx, tx, reportwrite.Move{To: to, By: by, Note: j.note, Internal: to != report.Rejected, Reason: report.ReasonIrrelevant, Renditions: g.renditions}); err != nil {
				return err
			}
		}
		if !j.relevant && from == report.Rejected {
			if err := h.Uphold(ctx, tx, j.note, appealed); err != nil {
				return err
			}
		}
		j.appendEvent(tx, h, by)
		if from != report.Rejected && len(j.moves(from)) == 0 && (h.IssueType != was.IssueType || h.Severity != was.Severity) {
			return h.TellEdited(ctx, tx, notification.DetailsEdited, *by.UserID)
		}
		return nil
	})
}

// mayOverride is nil for moderators and administrators. An official may say of the reports of their own agency that they
// are relevant; officials never reject.
func mayOverride(h *reportwrite.Locked, by report.Actor, j judgement) error {
	if err := h.WorkableBy(by); err != nil {
		return err
	}
	if by.Kind == report.ActorOfficial && !j.relevant {
		return errForbidden
	}
	return nil
}

// moves returns the changes of status for a report with status from, in order.
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

// appendEvent adds the judgement to the ledger, after the moves that follow from it: a payload has the assessment once the
// report is not pending.
func (j judgement) appendEvent(tx *outbox.Tx, h *reportwrite.Locked, by report.Actor) {
	e := ledger.Event{Type: ledger.AIValidated, Note: j.note,
		AI: &ledger.Assessment{Relevant: j.relevant, Confidence: 1, Severity: string(h.Severity), Model: "person"}}
	if !j.relevant {
		e.ReasonCode = string(report.ReasonIrrelevant)
	}
	h.Event(tx, e, by)
}

// record stores the judgement as an analysis, in the report and in the audit log.
func (j judgement) record(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked, by report.Actor) error {
	was := *h
	h.AIStatus = report.AICompleted
	if !j.relevant {
		h.AIStatus = report.AIRejected
	}
	if j.issueType != nil {
		h.IssueType = *j.issueType
	}
	if j.severity != nil {
		h.Severity = *j.severity
	}
	h.Version++
	analysis := database.NewID()
	const insert = `
		INSERT INTO ai_analyses (id, report_id, run_id, stage, model, prompt_version, input_hash, status, is_relevant,
			relevance_confidence, relevance_reason, issue_type, severity)
		VALUES ($1, $2, $3, '` + stageOverride + `', 'person', '', '', $4, $5, 1, $6, $7, $8)`
	tx.Queue(insert, analysis, h.ID, uuid.New(), h.AIStatus, j.relevant, j.note, j.issueType, j.severity)
	update := `
		UPDATE reports SET ai_status = $2, ai_analysis_id = $3, issue_type = $4, ` + report.SetSeverity("$5") + `, version = version + 1, updated_at = now()
		WHERE id = $1`
	tx.Queue(update, h.ID, h.AIStatus, analysis, h.IssueType, j.severity)
	if j.relevant {
		tx.Queue(report.JudgePicturesSQL, h.ID, false)
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "report.ai_override", Entity: "report", EntityID: h.ID.String(),
		Before: map[string]any{"ai_status": was.AIStatus, "issue_type": was.IssueType, "severity": was.Severity},
		After:  map[string]any{"ai_status": h.AIStatus, "is_relevant": j.relevant, "issue_type": j.issueType, "severity": j.severity}})
}
