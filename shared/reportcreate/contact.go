package reportcreate

import (
	"context"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// Contact is whom a report is for: somebody who calls staff or comes to the counter, or the person that another system names. Its members
// are nil where they are unknown.
type Contact struct {
	Name, Phone, Email *string
	Language           locale.Language // "" where another system does not say it
	// What another system says besides.
	DeviceID, AccountID *string
}

// insertContact writes whom a new report is for, which member of staff filed it, and the mail to the person.
func insertContact(ctx context.Context, tx *outbox.Tx, o Owner, in Input, n reportread.NewReport) error {
	const q = `
		INSERT INTO report_contacts (report_id, filed_by, client_id, full_name, phone_number, email, preferred_language)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`
	to := in.Contact
	tx.Queue(q, n.ID, o.Caller.UserID, in.ClientID, to.Name, to.Phone, to.Email, string(to.Language))
	entry := audit.Entry{Action: "report.create", Entity: "report", EntityID: n.ID.String(), After: map[string]any{"source": report.SourceAssisted}}
	if err := audit.Record(ctx, tx, entry); err != nil || to.Email == nil {
		return err
	}
	return tx.Send(ctx, queue.Notify, queue.NotifyMessage{Contact: &queue.ContactMail{ReportID: n.ID, Type: string(notification.ReportReceived), EventKey: "received"}})
}

// insertSystemContact writes down the person that another system names. Nobody is mailed.
func insertSystemContact(p database.Pipeline, c *Contact, id uuid.UUID) {
	if c == nil {
		return
	}
	const q = `
		INSERT INTO open311_contacts (report_id, full_name, phone_number, email, preferred_language, device_id, account_id)
		VALUES ($1, $2, $3, $4, nullif($5, ''), $6, $7)`
	p.Queue(q, id, c.Name, c.Phone, c.Email, string(c.Language), c.DeviceID, c.AccountID)
}
