package reports

import (
	"context"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/warning"
)

// amendment is the new content of a report; nil members stay as they are.
type amendment struct {
	title, description *string
	issueType          *report.IssueType
	raw                *string // with issueType: the reporter's own word; nil for none
	severity           *report.Severity
	// A part of the address that is "" is cleared.
	address, street, suco, district, municipality *string
	municipalityCode                              *string // with municipality; nil where it is cleared
}

// amendment is what the request asks for. A severity or a municipality that nobody knows is left out with a warning.
func (in *amendInput) amendment(ctx context.Context, m reportread.Municipalities) (amendment, error) {
	b, notes := in.Body, warning.FromContext(ctx)
	out := amendment{address: addressPart(b.Address), street: addressPart(b.Street), suco: addressPart(b.Suco),
		district: addressPart(b.District), municipality: addressPart(b.Municipality)}
	if b.Title != nil {
		text := clean(b.Title)
		out.title = &text
	}
	if b.Description != nil {
		text := clean(b.Description)
		out.description = &text
	}
	if b.IssueType != nil {
		t, raw := kindOf(b.IssueType, notes)
		out.issueType, out.raw = &t, raw
	}
	if b.Severity != nil {
		out.severity = severityOf(*b.Severity, notes)
	}
	if out.municipality != nil && *out.municipality != "" {
		code, ok, err := m.Code(ctx, *out.municipality)
		if err != nil {
			return amendment{}, err
		}
		if out.municipalityCode = &code; !ok {
			out.municipality, out.municipalityCode = nil, nil
			notes.Add("municipality", warning.Unreadable)
		}
	}
	return out, nil
}

// changing is the part of w that differs from the report. A client may send back what it knows.
func (w amendment) changing(h *reportwrite.Locked) amendment {
	w.title, w.description = unlessText(w.title, h.Title), unlessText(w.description, h.Description)
	if w.issueType != nil && *w.issueType == h.IssueType && (w.raw == nil || database.SameText(*w.raw, h.IssueTypeRaw)) {
		w.issueType, w.raw = nil, nil // a client that knows "other" does not take the reporter's own word away
	}
	w.severity = unless(w.severity, h.Severity)
	a := h.Address
	for part, stored := range map[**string]*string{&w.address: a.Address, &w.street: a.Street, &w.suco: a.Suco, &w.district: a.District, &w.municipality: a.Municipality} {
		if stored == nil {
			*part = unlessText(*part, "")
		} else {
			*part = unlessText(*part, *stored)
		}
	}
	return w
}

// unless is nil where the value to write is the present one.
func unless[T comparable](next *T, present T) *T {
	if next != nil && *next == present {
		return nil
	}
	return next
}

// unlessText is unless for texts, in any Unicode form.
func unlessText(next *string, present string) *string {
	if next != nil && database.SameText(*next, present) {
		return nil
	}
	return next
}

// words is true for a change of what the reporter wrote.
func (w amendment) words() bool { return w.title != nil || w.description != nil || w.issueType != nil }

// place is true for a change of the parts of the address that officials leave alone.
func (w amendment) place() bool { return w.suco != nil || w.district != nil || w.municipality != nil }

// details is true for a change of what staff alone change.
func (w amendment) details() bool {
	return w.severity != nil || w.address != nil || w.street != nil || w.place()
}

// erasable is true for a change of what an erasure takes away: words and the parts of the address.
func (w amendment) erasable() bool {
	return w.title != nil || w.description != nil || w.raw != nil || w.address != nil || w.street != nil || w.place()
}

func (w amendment) empty() bool { return !w.words() && !w.details() }

// write changes the report and appends an event to the ledger. A change by somebody else than
// the reporter is told; where it changes words, the first ones are kept for staff.
func (w amendment) write(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked) error {
	caller := identity.Must(ctx)
	own := h.ReportedBy(caller)
	q := `
		UPDATE reports SET
			original_words = CASE WHEN $13 THEN coalesce(original_words, jsonb_strip_nulls(jsonb_build_object(
				'title', title, 'description', description, 'issue_type', issue_type, 'issue_type_raw', issue_type_raw))) ELSE original_words END,
			title = coalesce($2, title), description = coalesce($3, description), issue_type = coalesce($4, issue_type),
			issue_type_raw = CASE WHEN $4::text IS NULL THEN issue_type_raw ELSE $5 END,
			` + report.SetSeverity("$6") + `,
			address = nullif(coalesce($7, address), ''), street = nullif(coalesce($8, street), ''),
			suco = nullif(coalesce($9, suco), ''), district = nullif(coalesce($10, district), ''),
			municipality = nullif(coalesce($11, municipality), ''),
			municipality_code = CASE WHEN $11::text IS NULL THEN municipality_code ELSE $12 END,
			-- a moderator has not seen the new words of the reporter
			moderated_at = CASE WHEN $14 THEN NULL ELSE moderated_at END, version = version + 1, updated_at = now()
		WHERE id = $1`
	tx.Queue(q, h.ID, w.title, w.description, w.issueType, w.raw, w.severity, w.address, w.street, w.suco, w.district, w.municipality,
		w.municipalityCode, w.words() && !own, w.words() && own)
	was := *h
	w.apply(h)
	h.Event(tx, ledger.Event{Type: ledger.Amended}, actorOn(caller, h))
	if !caller.Role.IsStaff() {
		return nil
	}
	variant := notification.DetailsEdited
	if w.words() {
		variant = notification.WordsEdited
	}
	if err := h.TellEdited(ctx, tx, variant, caller.UserID); err != nil {
		return err
	}
	return w.audit(ctx, tx, was)
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
	h.Version++
}

func (w amendment) audit(ctx context.Context, tx *outbox.Tx, was reportwrite.Locked) error {
	return audit.Record(ctx, tx, audit.Entry{Action: "report.amend", Entity: "report", EntityID: was.ID.String(),
		Before: map[string]any{"title": was.Title, "description": was.Description, "issue_type": was.IssueType, "severity": was.Severity},
		After: map[string]any{"title": w.title, "description": w.description, "issue_type": w.issueType, "severity": w.severity,
			"address": w.address, "street": w.street, "suco": w.suco, "district": w.district, "municipality": w.municipality}})
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
