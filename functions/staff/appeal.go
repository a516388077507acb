package staff

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

func (g *Group) registerAppeal(api *httpapi.API) {
	op := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: "/api/v1/reports/{id}/appeal", Tags: []string{name},
			Summary: "Appeal the rejection of your own report",
			Description: "Allowed once for each report. The report stays rejected and waits in the queue needs_review until a " +
				"person has decided.",
		},
		Creates: true,
	}
	httpapi.Register(api, op.WithProblems(report.Problems()...).WithProblems(errAlreadyAppealed, errForbidden, errNotRejected), g.appeal)
}

type appealInput struct {
	report.RefInput
	Body struct {
		_      struct{} `schema:"AppealCreate"`
		Reason string   `json:"reason" minLength:"1" maxLength:"2000" example:"The picture shows the hole from above."`
	}
}

func (g *Group) appeal(ctx context.Context, in *appealInput) (*reportOutput, error) {
	reason := strings.TrimSpace(database.Text(in.Body.Reason))
	if reason == "" {
		return nil, problem.InvalidField("reason", "is empty")
	}
	return g.change(ctx, in.ID, nil, func(tx *outbox.Tx, h *reportwrite.Locked) error {
		if err := mayAppeal(h, identity.Must(ctx)); err != nil {
			return err
		}
		const q = `UPDATE reports SET appealed_at = now(), appeal_reason = $2, ai_status = 'needs_review',
			version = version + 1, updated_at = now() WHERE id = $1`
		tx.Queue(q, h.ID, reason)
		return audit.Record(ctx, tx, audit.Entry{Action: "report.appeal", Entity: "report", EntityID: h.ID.String(),
			Before: map[string]any{"ai_status": h.AIStatus}, After: map[string]any{"ai_status": report.AINeedsReview}})
	})
}

// mayAppeal returns why the caller may not appeal, or nil.
func mayAppeal(h *reportwrite.Locked, c identity.Caller) error {
	switch {
	case !h.ReportedBy(c):
		return errForbidden
	case h.Appealed:
		return errAlreadyAppealed
	case h.Status != report.Rejected:
		return errNotRejected
	}
	return nil
}
