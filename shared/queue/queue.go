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
)

// MaxBatch is the most messages that SQS takes or gives in one call.
const MaxBatch = catalog.MaxBatch

// Outgoing is a message to be sent.
type Outgoing struct {
	ID    uuid.UUID
	Body  json.RawMessage
	Delay time.Duration // whole seconds, at most 15 minutes
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

// NotifyMessage asks for the delivery of a notification by mail and push, or of a mail without a notification (a code or
// a link). One of its members is set.
type NotifyMessage struct {
	NotificationID *uuid.UUID `json:"notification_id,omitempty"`
	// Mail is an encrypted mail (see shared/seal): a queue holds no code or address in clear.
	Mail []byte `json:"mail,omitempty"`
}
