package reports

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

func (g *Group) registerChanges(api *httpapi.API) {
	op := func(method, path, summary, description string) httpapi.Operation {
		return httpapi.Operation{Operation: huma.Operation{
			Method: method, Path: "/api/v1/reports/{id}" + path, Tags: []string{tag}, Summary: summary, Description: description,
			Errors: []int{http.StatusForbidden, http.StatusConflict, http.StatusPreconditionFailed},
		}}
	}
	amend := op(http.MethodPatch, "", "Change a report", "Its reporter may change title, description and issue type while it is "+
		"pending; staff may also change severity, the parts of the address and the status, at any time.")
	amend.Aliases = map[string]string{"report_type": "issue_type", "type": "issue_type", "category": "issue_type"}
	httpapi.Register(api, amend, g.amend)

	status := op(http.MethodPost, "/status", "Change the status of a report", "As the table of moves allows; a 409 names the allowed ones. "+
		"To say that it is a duplicate, name the original; the way back is pending.")
	status.Roles = identity.Staff()
	httpapi.Register(api, status, g.status)

	assign := op(http.MethodPost, "/assign", "Assign a report to an agency", "Without agency_id to the one whose area and field fit best. "+
		"Officials assign to their own agency what is not another's.")
	assign.Roles = identity.Staff()
	httpapi.Register(api, assign, g.assign)

	httpapi.Register(api, op(http.MethodDelete, "", "Withdraw a report",
		"By its reporter while it is pending, by administrators always. It is no longer shown; that it was there stays on the ledger."), g.withdraw)
}

// change makes a change to a report and answers with what it became.
func (g *Group) change(ctx context.Context, ref report.Ref, ifMatch string, c reportwrite.Change) (*reportOutput, error) {
	var err error
	if c.Report, err = ref.About(); err != nil {
		return nil, err
	}
	c.By, c.Expect = identity.Must(ctx), reportwrite.Expect{Match: httpapi.IfMatch(ifMatch)}
	out, err := reportwrite.Apply(ctx, g.reader, g.outbox, c)
	if err != nil {
		return nil, err
	}
	return &reportOutput{ETag: httpapi.VersionTag(out.Version), Body: out}, nil
}

// lockVisible locks a report the caller may see for a change, in the version If-Match names. The questions ask are
// answered in the same round trip.
func lockVisible(ctx context.Context, tx *outbox.Tx, about report.About, ifMatch string, ask ...func(p database.Pipeline)) (*reportwrite.Locked, error) {
	caller := identity.Must(ctx)
	locked := reportwrite.LockForChange(tx, about, report.ActorOf(caller))
	for _, add := range ask {
		add(tx)
	}
	if err := tx.Flush(ctx); err != nil {
		return nil, fmt.Errorf("lock report: %w", err)
	}
	h := locked.Get()
	if err := h.VisibleTo(reportread.ViewerOf(caller)); err != nil {
		return nil, err
	}
	return h, reportwrite.Expect{Match: httpapi.IfMatch(ifMatch)}.Check(h)
}

func owns(c identity.Caller, h *reportwrite.Locked) bool {
	return h.UserID != nil && *h.UserID == c.UserID
}

var (
	errForbidden   = problem.New(problem.Forbidden, "forbidden")
	errNotEditable = problem.New(problem.Conflict, "not_editable")
)

// mayEdit is nil for staff, and for the reporter while the report is pending.
func mayEdit(c identity.Caller, h *reportwrite.Locked) error {
	switch {
	case c.Role.IsStaff():
		return nil
	case !owns(c, h):
		return errForbidden
	case h.Status != report.Pending:
		return errNotEditable
	}
	return nil
}

type statusInput struct {
	RefInput
	IfMatch string `header:"If-Match" doc:"Only when the report is still as this ETag"`
	Body    struct {
		_               struct{} `additionalProperties:"true"`
		Status          string   `json:"status" example:"in_progress"`
		Note            *string  `json:"note,omitempty" maxLength:"2000" doc:"Shown to the reporter; demanded for rejected and fixed, and for going back"`
		DuplicateOf     *string  `json:"duplicate_of,omitempty" doc:"Id or report number of the original, for duplicate"`
		ExpectedVersion *int     `json:"expected_version,omitempty" doc:"409 when the report has another version"`
	}
}

func (g *Group) status(ctx context.Context, in *statusInput) (*reportOutput, error) {
	to, ok := report.ParseStatus(in.Body.Status)
	if !ok {
		return nil, problem.InvalidField("status", "not a status")
	}
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	caller := identity.Must(ctx)
	m := reportwrite.Move{Report: about, To: to, By: report.ActorOf(caller),
		Expect: reportwrite.Expect{Match: httpapi.IfMatch(in.IfMatch), Version: in.Body.ExpectedVersion}}
	if in.Body.Note != nil {
		m.Note = *in.Body.Note
	}
	if in.Body.DuplicateOf != nil {
		original, err := report.Ref(*in.Body.DuplicateOf).About()
		if err != nil {
			return nil, problem.InvalidField("duplicate_of", "no such report")
		}
		m.DuplicateOf = &original
	}
	var after *reportread.Asked
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		h, err := reportwrite.Transition(ctx, tx, m)
		if err != nil {
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
	return &reportOutput{ETag: httpapi.VersionTag(out.Version), Body: out}, nil
}

type messageOutput struct {
	Body struct {
		Message string `json:"message"`
	}
}

func message(ctx context.Context, key string) *messageOutput {
	out := &messageOutput{}
	out.Body.Message = locale.TextFor(ctx, "message."+key)
	return out
}
