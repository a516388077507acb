package reports

import (
	"context"
	"regexp"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/warning"
)

// OnBehalfOf is whom staff file a report for: somebody who calls or comes to the counter.
type OnBehalfOf struct {
	_                 struct{} `additionalProperties:"true"`
	FullName          *string  `json:"full_name,omitempty" maxLength:"100" example:"Domingos Soares"`
	PhoneNumber       *string  `json:"phone_number,omitempty" maxLength:"40" example:"+67077001122"`
	Email             *string  `json:"email,omitempty" maxLength:"320" doc:"The person is mailed with the receipt, and becomes the reporter on confirming the address"`
	PreferredLanguage *string  `json:"preferred_language,omitempty" maxLength:"35" doc:"tet (default), pt or en: the language of the mails"`
}

// contact is a checked OnBehalfOf. Its members are nil where they are unknown.
type contact struct {
	name, phone, email *string
	language           locale.Language
}

// contact reads on_behalf_of; nil where there is none. It is for staff: from a citizen it is left out with a warning. Members that
// cannot be read are left out with a warning each.
func (r CreateRequest) contact(c identity.Caller, w *warning.Collector) *contact {
	b := r.OnBehalfOf
	if b == nil {
		return nil
	}
	if !c.Role.IsStaff() {
		w.Add("on_behalf_of", warning.NotTaken)
		return nil
	}
	out := &contact{name: part(b.FullName), phone: part(b.PhoneNumber), language: locale.Tetum}
	if out.phone != nil && !phoneNumber.MatchString(*out.phone) {
		w.Add("on_behalf_of.phone_number", warning.Unreadable)
		out.phone = nil
	}
	if given := clean(b.Email); given != "" {
		if address, ok := mail.ParseAddress(given); ok && mail.Deliverable(address) {
			out.email = &address
		} else {
			w.Add("on_behalf_of.email", warning.Unreadable)
		}
	}
	if given := clean(b.PreferredLanguage); given != "" {
		if l, ok := locale.Parse(strings.ToLower(given)); ok {
			out.language = l
		} else {
			w.Add("on_behalf_of.preferred_language", warning.Unreadable)
		}
	}
	return out
}

var phoneNumber = regexp.MustCompile(`^\+?[0-9][0-9 ()./-]{2,30}$`)

// askAssisted finds the report that the member of staff filed with a client_id, for anybody.
func askAssisted(p database.Pipeline, staff uuid.UUID, in CreateInput) *database.Ask[*Repeat] {
	if in.clientID == nil {
		return database.Derive(func() *Repeat { return nil })
	}
	const q = `
		SELECT r.id, r.deleted_at IS NOT NULL, r.content_hash, r.accepted_hashes, (c.full_name, c.phone_number, c.email) IS DISTINCT FROM ($3::text, $4::text, $5::citext)
		  FROM report_contacts c JOIN reports r ON r.id = c.report_id WHERE c.filed_by = $1 AND c.client_id = $2`
	return database.AskOptional(p, func(row pgx.CollectableRow) (Repeat, error) {
		var r Repeat
		err := row.Scan(&r.ID, &r.Withdrawn, &r.first, &r.accepted, &r.otherContact)
		return r, err
	}, q, staff, in.clientID, in.contact.name, in.contact.phone, in.contact.email)
}

// fileFor writes whom a new report is for, who filed it, and the mail to the person.
func (g *Group) fileFor(ctx context.Context, tx *outbox.Tx, c identity.Caller, in CreateInput, n reportread.NewReport) error {
	const q = `
		INSERT INTO report_contacts (report_id, filed_by, client_id, full_name, phone_number, email, preferred_language)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`
	to := in.contact
	tx.Queue(q, n.ID, c.UserID, in.clientID, to.name, to.phone, to.email, string(to.language))
	entry := audit.Entry{Action: "report.create", Entity: "report", EntityID: n.ID.String(), After: map[string]any{"source": report.SourceAssisted}}
	if err := audit.Record(ctx, tx, entry); err != nil || to.email == nil {
		return err
	}
	return tx.Send(ctx, queue.Notify, queue.NotifyMessage{Contact: &queue.ContactMail{ReportID: n.ID, Type: string(notification.ReportReceived), EventKey: "received"}})
}
