package open311

import (
	"context"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// item is a report as the specification has it. All members are there; null where there is nothing to say.
func (g *Group) item(ctx context.Context, s *reportread.Summary, d reportread.Details) object {
	var media, agency any
	if d.Picture != nil {
		media = g.base(ctx).Picture(s.ReportNumber, *d.Picture, "display")
	}
	if s.AssignedAgency != nil {
		agency = s.AssignedAgency.Name
	}
	var due any
	if s.DueAt != nil {
		due = w3Text(s.DueAt.Time)
	}
	return object{
		{"service_request_id", s.ReportNumber},
		{"status", statusWord(s.Status)},
		{"status_notes", statusNotes(ctx, s, d.Note)},
		{"service_name", s.IssueType.Label(locale.FromContext(ctx))},
		{"service_code", string(s.IssueType)},
		{"description", orNull(description(s))},
		{"agency_responsible", agency},
		{"service_notice", orNull(serviceNotice(ctx, s))},
		{"requested_datetime", w3Text(s.CreatedAt.Time)},
		{"updated_datetime", w3Text(updatedAt(s, d))},
		{"expected_datetime", due},
		{"address", orNull(address(s))},
		{"address_id", nil},
		{"zipcode", nil},
		{"lat", s.Latitude},
		{"long", s.Longitude},
		{"media_url", media},
	}
}

// updatedAt is when the report last changed; of a closed one when it was closed.
func updatedAt(s *reportread.Summary, d reportread.Details) time.Time {
	switch {
	case statusWord(s.Status) == statusOpen:
		return s.UpdatedAt.Time
	case s.ResolvedAt != nil:
		return s.ResolvedAt.Time
	case d.MovedAt != nil:
		return *d.MovedAt
	}
	return s.UpdatedAt.Time
}

// description is what the reporter wrote: the title too, unless the description begins with it. A report whose words are not shown
// has none: its title is the name of the service.
func description(s *reportread.Summary) string {
	title, words := strings.TrimSpace(s.Title), strings.TrimSpace(s.Description)
	switch {
	case s.ContentPending || s.ContentHidden:
		return ""
	case title == "" || strings.HasPrefix(words, title):
		return words
	case words == "":
		return title
	}
	return title + "\n\n" + words
}

// statusNotes is our own status, which tells more than open and closed, and why it is so.
func statusNotes(ctx context.Context, s *reportread.Summary, note *string) string {
	text, _ := locale.Label(locale.FromContext(ctx), "status", string(s.Status))
	text = locale.Capitalized(text)
	if s.DuplicateOf != nil && s.Status == report.Duplicate {
		text, _ = locale.Text(locale.FromContext(ctx), "open311.note_duplicate", map[string]string{"number": s.DuplicateOf.ReportNumber})
	}
	if note != nil && strings.TrimSpace(*note) != "" {
		text += ": " + strings.TrimSpace(*note)
	}
	return text
}

// serviceNotice says what happens next to an open report, "" where that is not known.
func serviceNotice(ctx context.Context, s *reportread.Summary) string {
	language := locale.FromContext(ctx)
	switch {
	case s.Status == report.Pending:
		return locale.TextFor(ctx, "open311.notice_pending")
	case statusWord(s.Status) == statusClosed || s.DueAt == nil || s.AssignedAgency == nil:
		return ""
	}
	text, _ := locale.Text(language, "open311.notice_due", map[string]string{
		"agency": s.AssignedAgency.Name, "date": locale.Date(language, s.DueAt.In(report.Zone()))})
	return text
}

// address is the place in words, most specific part first, each part once.
func address(s *reportread.Summary) string {
	var parts []string
	for _, part := range []*string{s.Address, s.Street, s.Suco, s.District, s.Municipality} {
		if part == nil || strings.TrimSpace(*part) == "" {
			continue
		}
		text := strings.TrimSpace(*part)
		if !strings.Contains(strings.ToLower(strings.Join(parts, ", ")), strings.ToLower(text)) {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, ", ")
}
