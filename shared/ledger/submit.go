package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// Submission is a report in the moment it is filed, as its first event vouches for it.
type Submission struct {
	State
	ReportID            uuid.UUID
	Latitude, Longitude float64
	CapturedAt          *time.Time
	Images              [][]byte // SHA-256 of the processed public renditions, in order
	Actor               Actor
	At                  time.Time
}

// Submit is Append of a report's first event, for a report that w inserts: it reads nothing. The report's number is
// filled in by the database, so that w need not know it: whoever holds the newest number keeps others waiting.
func Submit(ctx context.Context, w *outbox.Work, s Submission) error {
	e := Event{ReportID: s.ReportID, Type: Submitted, Actor: s.Actor, At: s.At}
	if err := e.check(); err != nil {
		return fmt.Errorf("append %s: %w", e.Type, err)
	}
	state := &snapshot{State: s.State, number: unnumbered, latitude: s.Latitude, longitude: s.Longitude, capturedAt: s.CapturedAt, images: s.Images}
	hash, err := state.contentHash(newSalt(w, e.ReportID, e.At))
	if err != nil {
		return fmt.Errorf("append %s: %w", e.Type, err)
	}
	raw, err := encode(e, state, 1, nil, hash)
	if err != nil {
		return fmt.Errorf("append %s: %w", e.Type, err)
	}
	before, after, found := cutNumber(raw)
	if !found {
		return fmt.Errorf("append %s: the payload has no place for a number", e.Type)
	}
	id := database.NewID()
	const event = `
WITH payload AS (SELECT $3::bytea || convert_to(report_number, 'UTF8') || $4::bytea AS bytes FROM reports WHERE id = $2),
event AS (
  INSERT INTO ledger_events (id, report_id, seq, event_type, topic, payload, payload_hash, created_at)
  SELECT $1, $2, 1, $5, $6, bytes, sha256(bytes), $7 FROM payload RETURNING id, position, report_id, seq, topic, created_at)
INSERT INTO ledger_anchors (event_id, position, report_id, seq, topic, created_at) SELECT * FROM event`
	w.Later(event, id, e.ReportID, before, after, e.Type, e.Type.Topic(), e.At)
	return w.Send(ctx, queue.Anchor, queue.AnchorMessage{EventID: id})
}
