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
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/warning"
)

func (g *Group) registerAmend(api *httpapi.API) {
	op := changeOperation(http.MethodPatch, "", "Change a report", "The reporter may change title, description and issue type while it is "+
		"pending. Moderators and administrators may also change severity, the parts of the address and the status, at any time; officials "+
		"severity, street, address and status of the reports of their agency. A value that the report has already changes nothing.")
	op.Aliases = createAliases()
	op.Lenient = amendLenient()
	httpapi.Register(api, op.WithProblems(reportwrite.TransitionProblems()...).WithProblems(reportwrite.Problems()...).WithProblems(errForbidden, errNotEditable, errOfficialsMayNotEdit, errWordsErased), g.amendReport)
}

// amendLenient says how a change is read. A status is what the request asks for: one that cannot be read is refused.
// Members of a new report that a change does not take are named.
func amendLenient() *httpapi.Lenient {
	return &httpapi.Lenient{Strict: []string{"status"},
		NotTaken: slices.Concat(createMembers(), assignMembers(), []string{"duplicate_of", "expected_version"})}
}

type amendInput struct {
	report.RefInput
	IfMatch string `header:"If-Match" doc:"Only when the report is still as this ETag"`
	Body    struct {
		_            struct{} `schema:"ReportChange"`
		Title        *string  `json:"title,omitempty" maxLength:"150"`
		Description  *string  `json:"description,omitempty" maxLength:"2000"`
		IssueType    *string  `json:"issue_type,omitempty" words:"issue_type" minLength:"1" example:"drainage"`
		Severity     *string  `json:"severity,omitempty" words:"severity" doc:"Staff"`
		Status       *string  `json:"status,omitempty" words:"status" doc:"Staff; any but duplicate, which has to name its original" example:"verified"`
		Note         *string  `json:"note,omitempty" maxLength:"2000" doc:"Of the change of status. Told to the reporter and public; that of a rejection is for the reporter and staff alone"`
		ReasonCode   *string  `json:"reason_code,omitempty" words:"reason_code" doc:"Of a rejection: irrelevant, offensive, personal_data, duplicate_spam, unsafe or other" example:"irrelevant"`
		Address      *string  `json:"address,omitempty" maxLength:"300" doc:"Staff; so the other parts"`
		Street       *string  `json:"street,omitempty" maxLength:"300"`
		Suco         *string  `json:"suco,omitempty" maxLength:"300"`
		District     *string  `json:"district,omitempty" maxLength:"300"`
		Municipality *string  `json:"municipality,omitempty" maxLength:"300"`
	}
}

func (g *Group) amendReport(ctx context.Context, in *amendInput) (*reportOutput, error) {
	caller := identity.Must(ctx)
	m, err := in.move(ctx, caller)
	if err != nil {
		return nil, err
	}
	asked, err := in.amendment(ctx, g.municipalities)
	if err != nil {
		return nil, err
	}
	spent, err := g.ownEvents(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return g.change(ctx, in.ID, in.IfMatch, reportwrite.Change{Ask: spent.ask, Do: func(tx *outbox.Tx, h *reportwrite.Locked) error {
		w, moves := asked.changing(h), m != nil && m.To != h.Status
		if err := mayAmend(caller, h, w, moves); err != nil {
			return err
		}
		if h.Erased() && w.erasable() {
			return errWordsErased
		}
		if !w.empty() {
			if err := spent.check(h); err != nil {
				return err
			}
			if err := w.write(ctx, tx, h); err != nil {
				return err
			}
		}
		if !moves {
			in.warnOfUnused(warning.FromContext(ctx))
			return nil
		}
		m.Renditions = g.renditions
		return h.Move(ctx, tx, *m)
	}})
}

// move is the change of status that the request asks for; nil for none.
func (in *amendInput) move(ctx context.Context, c identity.Caller) (*reportwrite.Move, error) {
	if in.Body.Status == nil {
		return nil, nil
	}
	to, ok := report.ParseStatus(*in.Body.Status)
	if !ok {
		return nil, problem.InvalidField("status", "not a status")
	}
	if to == report.Duplicate {
		return nil, problem.InvalidField("status", "a duplicate names its original: POST …/status")
	}
	m := &reportwrite.Move{To: to, By: report.ActorOf(c), Note: clean(in.Body.Note)}
	var err error
	m.Reason, err = reportwrite.ReasonOf(to, in.Body.ReasonCode, warning.FromContext(ctx))
	return m, err
}

// warnOfUnused adds warnings of the members that belong to a change of status, for a request that makes none.
func (in *amendInput) warnOfUnused(w *warning.Collector) {
	if clean(in.Body.Note) != "" {
		w.Add("note", warning.NotTaken)
	}
	if clean(in.Body.ReasonCode) != "" {
		w.Add("reason_code", warning.NotTaken)
	}
}

// mayAmend is nil where the caller may make the change w, and the move if there is one. The reporter may change the words
// of a pending report. Officials may change severity, street, address and status of the reports of their agency.
func mayAmend(c identity.Caller, h *reportwrite.Locked, w amendment, moves bool) error {
	reporter := h.ReportedBy(c) && h.Status == report.Pending
	switch c.Role {
	case identity.Moderator, identity.Admin:
		return nil
	case identity.Official:
		if reporter && !w.details() && !moves {
			return nil
		}
		if err := h.WorkableBy(report.ActorOf(c)); err != nil {
			return err
		}
		if w.words() && !reporter || w.place() {
			return errOfficialsMayNotEdit
		}
		return nil
	}
	if err := mayEdit(c, h); err != nil {
		return err
	}
	if w.details() || moves {
		return errForbidden
	}
	return nil
}
