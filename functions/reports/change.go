package reports

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/warning"
)

// changeOperation describes an operation that changes a report.
func changeOperation(method, path, summary, description string) httpapi.Operation {
	return httpapi.Operation{Operation: huma.Operation{
		Method: method, Path: "/api/v1/reports/{id}" + path, Tags: []string{tag}, Summary: summary, Description: description,
	}}
}

// change makes a change and answers with the changed report.
func (g *Group) change(ctx context.Context, ref report.Ref, ifMatch string, c reportwrite.Change) (*reportOutput, error) {
	var err error
	if c.Report, err = ref.About(); err != nil {
		return nil, err
	}
	c.By, c.Expect.Match, c.Receipts = identity.Must(ctx), httpapi.IfMatch(ifMatch), g.receipts
	out, err := reportwrite.Apply(ctx, g.reader, g.outbox, c)
	if err != nil {
		return nil, err
	}
	out.Warnings = warning.FromContext(ctx).List()
	return &reportOutput{ETag: httpapi.VersionTag(out.Version), Body: out}, nil
}

// lockVisible locks a report for a change. It fails where the caller may not see the report, and where If-Match names
// another version. The questions of ask are in the same round trip.
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

var (
	errForbidden   = problem.New(problem.Forbidden, "forbidden")
	errNotEditable = problem.New(problem.Conflict, "not_editable")
)

// mayEdit is nil for staff who may work on the report, and for the reporter while the report is pending.
func mayEdit(c identity.Caller, h *reportwrite.Locked) error {
	switch {
	case h.ReportedBy(c) && h.Status == report.Pending:
		return nil
	case c.Role.IsStaff():
		return h.WorkableBy(report.ActorOf(c))
	case !h.ReportedBy(c):
		return errForbidden
	}
	return errNotEditable
}

// actorOn is the caller as the actor of a ledger event: on their own report, everybody is a citizen.
func actorOn(c identity.Caller, h *reportwrite.Locked) report.Actor {
	if h.ReportedBy(c) {
		return report.Actor{Kind: report.ActorCitizen, UserID: &c.UserID}
	}
	return report.ActorOf(c)
}
