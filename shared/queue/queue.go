// Package queue names the queues of the system and speaks to SQS: sending in
// batches, and handling batches with partial failures.
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

// Outgoing is a message on its way out.
type Outgoing struct {
	ID    uuid.UUID
	Body  json.RawMessage
	Delay time.Duration // whole seconds, at most 15 minutes
}

// ValidateMessage asks for the judgement of one report.
type ValidateMessage struct {
	ReportID uuid.UUID `json:"report_id"`
}

// AnchorMessage says that a ledger event waits.
type AnchorMessage struct {
	EventID uuid.UUID `json:"event_id"`
}

// GeocodeMessage asks for the address of one report.
type GeocodeMessage struct {
	ReportID uuid.UUID `json:"report_id"`
}

// NotifyMessage asks for delivery: of an in-app notification by mail and push,
// or of a mail that has no notification behind it (codes, links).
type NotifyMessage struct {
	NotificationID *uuid.UUID `json:"notification_id,omitempty"`
	// Mail is a sealed mail (see shared/seal): codes and addresses are never in clear on a queue.
	Mail []byte `json:"mail,omitempty"`
}
