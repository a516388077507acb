package reports

import (
	"context"
	"net/http"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

func (g *Group) registerAmend(api *httpapi.API) {
	op := changeOperation(http.MethodPatch, "", "Change a report", "The reporter may change title, description and issue type while it is "+
		"pending. Staff may also change severity, the parts of the address and the status, at any time.")
	op.Aliases = map[string]string{"report_type": "issue_type", "type": "issue_type", "category": "issue_type"}
	httpapi.Register(api, op, g.amendReport)
}

type amendInput struct {
	report.RefInput
	IfMatch string `header:"If-Match" doc:"Only when the report is still as this ETag"`
	Body    struct {
		_            struct{} `additionalProperties:"true"`
		Title        *string  `json:"title,omitempty" maxLength:"150"`
		Description  *string  `json:"description,omitempty" maxLength:"2000"`
		IssueType    *string  `json:"issue_type,omitempty" minLength:"1" example:"drainage"`
		Severity     *string  `json:"severity,omitempty" doc:"Staff"`
		Status       *string  `json:"status,omitempty" doc:"Staff; any but duplicate, which has to name its original" example:"verified"`
		Note         *string  `json:"note,omitempty" maxLength:"2000" doc:"Of the change of status"`
		Address      *string  `json:"address,omitempty" doc:"Staff; so the other parts"`
		Street       *string  `json:"street,omitempty"`
		Suco         *string  `json:"suco,omitempty"`
		District     *string  `json:"district,omitempty"`
		Municipality *string  `json:"municipality,omitempty"`
	}
}

// changesStatus reports whether the request changes the status. A client may send the present one.
func changesStatus(h *reportwrite.Locked, to *report.Status) bool {
	return to != nil && *to != h.Status
}

// changesAddress reports whether the request has any part of the address.
func (in *amendInput) changesAddress() bool {
	b := in.Body
	return b.Address != nil || b.Street != nil || b.Suco != nil || b.District != nil || b.Municipality != nil
}

func (g *Group) amendReport(ctx context.Context, in *amendInput) (*reportOutput, error) {
	caller := identity.Must(ctx)
	var to *report.Status
	if in.Body.Status != nil {
		s, ok := report.ParseStatus(*in.Body.Status)
		if !ok {
			return nil, problem.InvalidField("status", "not a status")
		}
		if s == report.Duplicate {
			return nil, problem.InvalidField("status", "a duplicate names its original: POST …/status")
		}
		to = &s
	}
	return g.change(ctx, in.ID, in.IfMatch, reportwrite.Change{Do: func(tx *outbox.Tx, h *reportwrite.Locked) error {
		if err := mayEdit(caller, h); err != nil {
			return err
		}
		if (in.Body.Severity != nil || in.changesAddress() || changesStatus(h, to)) && !caller.Role.IsStaff() {
			return errForbidden
		}
		if err := g.rewrite(ctx, tx, h, in); err != nil {
			return err
		}
		if !changesStatus(h, to) {
			return nil
		}
		m := reportwrite.Move{To: *to, By: report.ActorOf(caller)}
		if in.Body.Note != nil {
			m.Note = *in.Body.Note
		}
		return h.Move(ctx, tx, m)
	}})
}

// amendment is the new content of a report; nil members stay as they are.
type amendment struct {
	title, description, raw *string
	issueType               *report.IssueType
	severity                *report.Severity
}

// apply changes the fields of a locked report.
func (w amendment) apply(h *reportwrite.Locked) {
	if w.title != nil {
		h.Title = *w.title
	}
	if w.description != nil {
		h.Description = *w.description
	}
	if w.issueType != nil {
		h.IssueType, h.IssueTypeRaw = *w.issueType, ""
		if w.raw != nil {
			h.IssueTypeRaw = *w.raw
		}
	}
	if w.severity != nil {
		h.Severity = *w.severity
	}
}

func (in *amendInput) amendment() (amendment, error) {
	var out amendment
	if in.Body.Title != nil {
		text := clean(in.Body.Title)
		out.title = &text
	}
	if in.Body.Description != nil {
		text := clean(in.Body.Description)
		out.description = &text
	}
	if in.Body.IssueType != nil {
		t, raw := issueTypeOf(*in.Body.IssueType)
		out.issueType, out.raw = &t, raw
	}
	if in.Body.Severity != nil {
		s, ok := report.ParseSeverity(*in.Body.Severity)
		if !ok {
			return amendment{}, problem.InvalidField("severity", "not a severity")
		}
		out.severity = &s
	}
	return out, nil
}

// rewrite changes the members that the request has. A change of content appends an event to the ledger.
func (g *Group) rewrite(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked, in *amendInput) error {
	content, err := in.amendment()
	if err != nil || content == (amendment{}) && !in.changesAddress() {
		return err
	}
	b := in.Body
	var code *string
	if b.Municipality != nil && clean(b.Municipality) != "" {
		known, ok, err := g.municipalities.Code(ctx, *b.Municipality)
		if err != nil {
			return err
		}
		if !ok {
			return problem.InvalidField("municipality", "no municipality goes by that name")
		}
		code = &known
	}
	// A part sent as "" is cleared, one not sent stays.
	q := `
		UPDATE reports SET
			title = coalesce($2, title), description = coalesce($3, description), issue_type = coalesce($4, issue_type),
			issue_type_raw = CASE WHEN $4::text IS NULL THEN issue_type_raw ELSE $5 END,
			` + report.SetSeverity("$6") + `,
			address = nullif(coalesce($7, address), ''), street = nullif(coalesce($8, street), ''),
			suco = nullif(coalesce($9, suco), ''), district = nullif(coalesce($10, district), ''),
			municipality = nullif(coalesce($11, municipality), ''),
			municipality_code = CASE WHEN $11::text IS NULL THEN municipality_code ELSE $12 END,
			version = version + 1, updated_at = now()
		WHERE id = $1`
	tx.Queue(q, h.ID, content.title, content.description, content.issueType, content.raw, content.severity,
		addressPart(b.Address), addressPart(b.Street), addressPart(b.Suco), addressPart(b.District), addressPart(b.Municipality), code)
	was := *h
	content.apply(h)
	h.Version++
	caller := identity.Must(ctx)
	if content != (amendment{}) {
		if err := h.Event(ctx, tx, ledger.Event{Type: ledger.Amended, At: h.At}, actorOn(caller, h)); err != nil {
			return err
		}
	}
	if !caller.Role.IsStaff() {
		return nil
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "report.amend", Entity: "report", EntityID: h.ID.String(),
		Before: map[string]any{"title": was.Title, "description": was.Description, "issue_type": was.IssueType, "severity": was.Severity},
		After: map[string]any{"title": content.title, "description": content.description, "issue_type": content.issueType, "severity": content.severity,
			"address": b.Address, "street": b.Street, "suco": b.Suco, "district": b.District, "municipality": b.Municipality}})
}

// addressPart is a part of an address to store: nil where it was not sent, "" where it was sent empty.
func addressPart(s *string) *string {
	if s == nil {
		return nil
	}
	if kept := part(s); kept != nil {
		return kept
	}
	empty := ""
	return &empty
}
