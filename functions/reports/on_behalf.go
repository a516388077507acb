package reports

import (
	"regexp"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/reportcreate"
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

// contact reads on_behalf_of; nil where there is none. It is for staff: from a citizen it is left out with a warning. Members that
// cannot be read are left out with a warning each.
func (r CreateRequest) contact(c identity.Caller, w *warning.Collector) *reportcreate.Contact {
	b := r.OnBehalfOf
	if b == nil {
		return nil
	}
	if !c.Role.IsStaff() {
		w.Add("on_behalf_of", warning.NotTaken)
		return nil
	}
	out := &reportcreate.Contact{Name: part(b.FullName), Phone: part(b.PhoneNumber), Language: locale.Tetum}
	if out.Phone != nil && !phoneNumber().MatchString(*out.Phone) {
		w.Add("on_behalf_of.phone_number", warning.Unreadable)
		out.Phone = nil
	}
	if given := clean(b.Email); given != "" {
		if address, ok := mail.ParseAddress(given); ok && mail.Deliverable(address) {
			out.Email = &address
		} else {
			w.Add("on_behalf_of.email", warning.Unreadable)
		}
	}
	if given := clean(b.PreferredLanguage); given != "" {
		if l, ok := locale.Parse(strings.ToLower(given)); ok {
			out.Language = l
		} else {
			w.Add("on_behalf_of.preferred_language", warning.Unreadable)
		}
	}
	return out
}

var phoneNumber = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\+?[0-9][0-9 ()./-]{2,30}$`)
})

// askAssisted finds the report that the member of staff filed with a client_id, for anybody.
func askAssisted(p database.Pipeline, staff uuid.UUID, in CreateInput) *database.Ask[*Repeat] {
	if in.ClientID == nil {
		return database.Derive(func() *Repeat { return nil })
	}
	const q = `
		SELECT r.id, r.deleted_at IS NOT NULL, r.content_hash, r.accepted_hashes, (c.full_name, c.phone_number, c.email) IS DISTINCT FROM ($3::text, $4::text, $5::citext)
		  FROM report_contacts c JOIN reports r ON r.id = c.report_id WHERE c.filed_by = $1 AND c.client_id = $2`
	return database.AskOptional(p, func(row pgx.CollectableRow) (Repeat, error) {
		var r Repeat
		err := row.Scan(&r.ID, &r.Withdrawn, &r.first, &r.accepted, &r.otherContact)
		return r, err
	}, q, staff, in.ClientID, in.Contact.Name, in.Contact.Phone, in.Contact.Email)
}
