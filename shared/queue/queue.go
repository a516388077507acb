// Package queue has the messages of the system's queues, sends them to SQS in batches, and handles received batches with
// partial failures.
package queue

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// Name is a queue of the system; catalog has its figures.
type Name = catalog.QueueName

// The queues.
const (
	Images   = catalog.Images
	Validate = catalog.Validate
	Anchor   = catalog.Anchor
	Notify   = catalog.Notify
	Geocode  = catalog.Geocode
	Webhooks = catalog.Webhooks
	Fetch    = catalog.Fetch
)

// MaxBatch is the most messages that SQS takes or gives in one call.
const MaxBatch = catalog.MaxBatch

// Outgoing is a message to be sent.
type Outgoing struct {
	ID    uuid.UUID
	Body  json.RawMessage
	Delay time.Duration // whole seconds, at most 15 minutes
}

// RedactMessage asks for parts of a picture to be made black. The other messages of the queue images are those of S3.
type RedactMessage struct {
	UploadID uuid.UUID `json:"redact_upload_id"`
}

// ValidateMessage asks for the AI's verdict on one report.
type ValidateMessage struct {
	ReportID uuid.UUID `json:"report_id"`
}

// AnchorMessage wakes the anchor worker: an event waits to be published, or something is due.
type AnchorMessage struct {
	// EventID is the event that was written; absent in a message that only wakes.
	EventID uuid.UUID `json:"event_id,omitzero"`
}

// GeocodeMessage asks for the address of one report.
type GeocodeMessage struct {
	ReportID uuid.UUID `json:"report_id"`
}

// WebhookMessage asks for the deliveries of one webhook that are due.
type WebhookMessage struct {
	WebhookID uuid.UUID `json:"webhook_id"`
}

// FetchMessage asks for a picture at an address that another system named. It becomes the bytes of the upload.
type FetchMessage struct {
	UploadID uuid.UUID `json:"upload_id"`
	URL      string    `json:"url"`
}

// AlertMessage is a report that got its verdict or was fixed.
type AlertMessage struct {
	ReportID uuid.UUID `json:"report_id"`
	// Event is a notification.AlertEvent.
	Event string `json:"event"`
	// After is the last person who was told; absent at the beginning.
	After uuid.UUID `json:"after,omitzero"`
	// Try counts how often the message waited for the municipality of the report.
	Try int `json:"try,omitempty"`
}

// NotifyMessage asks for the delivery of a notification by mail and push, of a mail without a notification (a code or
// a link), for telling staff, or for telling people of a place. One of its members is set.
type NotifyMessage struct {
	NotificationID *uuid.UUID `json:"notification_id,omitempty"`
	// Staff asks to tell staff about reports.
	Staff *StaffNotice `json:"staff,omitempty"`
	// Mail is an encrypted mail (see shared/seal): a queue holds no code or address in clear.
	Mail []byte `json:"mail,omitempty"`
	// Alert asks to tell people of a report at a place of their alerts.
	Alert *AlertMessage `json:"alert,omitempty"`
	// Contact is a mail to the person for whom staff filed a report. The worker reads the address.
	Contact *ContactMail `json:"contact,omitempty"`
}

// ContactMail tells the person for whom staff filed a report what a notification tells a reporter.
type ContactMail struct {
	ReportID uuid.UUID         `json:"report_id"`
	Type     string            `json:"type"`      // of the notification
	EventKey string            `json:"event_key"` // the same event is mailed once
	Params   map[string]string `json:"params,omitempty"`
}

// StaffEvent is what a StaffNotice tells.
type StaffEvent string

// The events of which staff are told, and who.
const (
	ReportsAssigned  StaffEvent = "assigned"    // the named person, else the officials of the agency; and its contact address
	ReportHandedBack StaffEvent = "handed_back" // moderators
	ReportsDisputed  StaffEvent = "disputed"    // as assigned
	ReportsLost      StaffEvent = "lost"        // officials of the agency that had it: it was rejected, or another agency got it
	ReportsOverdue   StaffEvent = "overdue"     // as assigned, but for each report its own person
	ReportsLate      StaffEvent = "late"        // administrators: overdue for as many working days again as a deadline has; of any agency
)

// MaxStaffItems is the most reports of a StaffNotice.
const MaxStaffItems = 100

// StaffNotice asks notify to tell staff about reports. Who they are, and every word, is read when it is delivered.
type StaffNotice struct {
	Event    StaffEvent  `json:"event"`
	AgencyID uuid.UUID   `json:"agency_id,omitzero"` // that the reports are assigned to, or that handed one back
	Items    []StaffItem `json:"items"`              // 1 to MaxStaffItems
	// Except is who acted; they are not told.
	Except *uuid.UUID `json:"except,omitempty"`
}

// StaffItem is one report of a StaffNotice.
type StaffItem struct {
	ReportID uuid.UUID `json:"report_id"`
	// Key names the event, such as "assigned:<report>:<version>". Of one key each person is told once.
	Key string `json:"key"`
	// UserID is the person that the report is assigned to. All officials of the agency are told where it is nil, or the person is no
	// official of the agency any more; of what is overdue also where the agency has no address.
	UserID *uuid.UUID `json:"user_id,omitempty"`
	// NoteID is a row of report_notes that goes with it; nil for none.
	NoteID *uuid.UUID `json:"note_id,omitempty"`
	// SuggestedID is the agency that whoever handed the report back suggests; nil for none.
	SuggestedID *uuid.UUID `json:"suggested_id,omitempty"`
}
