package reports

import (
	"context"
	"net/http"
	"slices"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/warning"
)

func (g *Group) registerChangeStatus(api *httpapi.API) {
	op := changeOperation(http.MethodPost, "/status", "Change the status of a report", "As the table of moves allows; a 409 names the allowed ones. "+
		"To mark it as a duplicate, name the original; to undo that, set pending. Officials move the reports of their agency, and "+
		"unassigned ones in its area and of its issue types, which are then assigned to it.")
	op.Roles = identity.Staff()
	op.Lenient = &httpapi.Lenient{Strict: []string{"duplicate_of", "expected_version"}, NotTaken: slices.Concat(createMembers(), contentMembers(), assignMembers())}
	httpapi.Register(api, op.WithProblems(reportwrite.TransitionProblems()...).WithProblems(reportwrite.DuplicateProblems()...).WithProblems(reportwrite.Problems()...), g.changeStatus)
}

type statusInput struct {
	report.RefInput
	IfMatch string `header:"If-Match" doc:"Only when the report is still as this ETag"`
	Body    struct {
		_               struct{} `schema:"StatusChange"`
		Status          string   `json:"status" words:"status" example:"in_progress"`
		Note            *string  `json:"note,omitempty" maxLength:"2000" doc:"Told to the reporter and public; that of a rejection is for the reporter and staff alone. Demanded for fixed without a picture of the repair, for going back, and for a rejection with the reason other"`
		ReasonCode      *string  `json:"reason_code,omitempty" words:"reason_code" doc:"Demanded for rejected: irrelevant, offensive, personal_data, duplicate_spam, unsafe or other" example:"irrelevant"`
		DuplicateOf     *string  `json:"duplicate_of,omitempty" doc:"Id or report number of the original, for duplicate"`
		ExpectedVersion *int     `json:"expected_version,omitempty" doc:"409 when the report has another version. With it, a verdict of staff also counts for pictures that the AI has not judged yet"`
	}
}

// move is the change of status that the request asks for.
func (in *statusInput) move(ctx context.Context, c identity.Caller) (reportwrite.Move, error) {
	m := reportwrite.Move{By: report.ActorOf(c), Expect: reportwrite.Expect{Match: httpapi.IfMatch(in.IfMatch), Version: in.Body.ExpectedVersion}}
	var ok bool
	if m.To, ok = report.ParseStatus(in.Body.Status); !ok {
		return m, problem.InvalidField("status", "not a status")
	}
	var err error
	if m.Report, err = in.ID.About(); err != nil {
		return m, err
	}
	if m.Reason, err = reportwrite.ReasonOf(m.To, in.Body.ReasonCode, warning.FromContext(ctx)); err != nil {
		return m, err
	}
	if in.Body.Note != nil {
		m.Note = *in.Body.Note
	}
	if in.Body.DuplicateOf != nil {
		original, err := report.Ref(*in.Body.DuplicateOf).About()
		if err != nil {
			return m, problem.InvalidField("duplicate_of", "no such report")
		}
		m.DuplicateOf = &original
	}
	return m, nil
}

func (g *Group) changeStatus(ctx context.Context, in *statusInput) (*reportOutput, error) {
	caller := identity.Must(ctx)
	m, err := in.move(ctx, caller)
	if err != nil {
		return nil, err
	}
	m.Renditions = g.renditions
	var after *reportread.Asked
	var h *reportwrite.Locked
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		if h, err = reportwrite.Transition(ctx, tx, m); err != nil {
			return err
		}
		after = g.reader.Ask(tx, reportread.ViewerOf(caller), h.ID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out, err := after.Report(ctx)
	if err != nil {
		return nil, err
	}
	out.Receipt, out.Warnings = h.Receipt(ctx, g.receipts, caller), warning.FromContext(ctx).List()
	return &reportOutput{ETag: httpapi.VersionTag(out.Version), Body: out}, nil
}
