package reports

import (
	"context"
	"net/http"
	"slices"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

func (g *Group) registerAssign(api *httpapi.API) {
	op := changeOperation(http.MethodPost, "/assign", "Assign a report to an agency", "What is not named stays as it is; a new agency clears the person. "+
		"Where nobody has it and neither agency nor person is named: to the agency that fits best, by its area, then its municipalities, then its issue types. The first assignment sets "+
		"due_at by severity in working days (setting deadlines). A change of severity does not move it, and an official cannot set a later one (403 deadline_later). The agency and the named official are mailed. "+
		"Officials may assign to their own agency what it has, and what nobody has in its area and of its issue types.")
	op.Roles = identity.Staff()
	op.Lenient = &httpapi.Lenient{Strict: append(assignMembers(), "expected_version"), NotTaken: slices.Concat(createMembers(), contentMembers(), []string{"status", "reason_code", "duplicate_of"})}
	httpapi.Register(api, op.WithProblems(reportwrite.AssignProblems()...).WithProblems(reportwrite.Problems()...), g.assignReport)

	back := changeOperation(http.MethodPost, "/hand-back", "Hand a report back", "It has no agency then and is in the queue new again; one that was in "+
		"progress is verified again. Its deadline waits until it is assigned. The moderators are told the note and the suggested agency. "+
		"Officials hand back what their agency has.")
	back.Roles = identity.Staff()
	back.Lenient = &httpapi.Lenient{Strict: []string{"note", "agency_id", "expected_version"}, NotTaken: slices.Concat(createMembers(), contentMembers(), []string{"status", "reason_code", "duplicate_of", "user_id", "due_at"})}
	httpapi.Register(api, back.WithProblems(reportwrite.Problems()...).WithProblems(reportwrite.ErrAgencyUnknown, reportwrite.ErrNotAssignable, reportwrite.ErrNotAssigned, reportwrite.ErrNotYourAgency), g.handBackReport)
}

type assignInput struct {
	report.RefInput
	IfMatch string `header:"If-Match" doc:"Only when the report is still as this ETag"`
	Body    struct {
		_ struct{} `schema:"ReportAssign"`
		reportwrite.AssignBody
	}
}

func (g *Group) assignReport(ctx context.Context, in *assignInput) (*reportOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	request, err := in.Body.Request()
	if err != nil {
		return nil, err
	}
	var found *database.Ask[reportwrite.Assignees]
	ask := func(p database.Pipeline) { found = request.Ask(p, about) }
	return g.change(ctx, in.ID, in.IfMatch, reportwrite.Change{Ask: ask, Expect: reportwrite.Expect{Version: in.Body.ExpectedVersion},
		Do: func(tx *outbox.Tx, h *reportwrite.Locked) error {
			return h.AssignAs(ctx, tx, request, found.Get(), report.ActorOf(identity.Must(ctx)))
		}})
}

type handBackInput struct {
	report.RefInput
	IfMatch string `header:"If-Match" doc:"Only when the report is still as this ETag"`
	Body    struct {
		_               struct{} `schema:"ReportHandBack"`
		Note            string   `json:"note" maxLength:"2000" doc:"Why. For staff" example:"The road belongs to the ministry."`
		AgencyID        *string  `json:"agency_id,omitempty" format:"uuid" doc:"The agency that should have it, as a suggestion"`
		ExpectedVersion *int     `json:"expected_version,omitempty" doc:"409 when the report has another version"`
	}
}

func (g *Group) handBackReport(ctx context.Context, in *handBackInput) (*reportOutput, error) {
	request := reportwrite.HandBackRequest{Note: clean(&in.Body.Note)}
	if request.Note == "" {
		return nil, problem.InvalidField("note", "is empty")
	}
	var err error
	if request.Suggested, err = reportwrite.ParseID("agency_id", in.Body.AgencyID); err != nil {
		return nil, err
	}
	var exists *database.Ask[bool]
	ask := func(p database.Pipeline) { exists = request.AskSuggested(p) }
	return g.change(ctx, in.ID, in.IfMatch, reportwrite.Change{Ask: ask, Expect: reportwrite.Expect{Version: in.Body.ExpectedVersion},
		Do: func(tx *outbox.Tx, h *reportwrite.Locked) error {
			return h.HandBackAs(ctx, tx, request, exists.Get(), report.ActorOf(identity.Must(ctx)))
		}})
}
