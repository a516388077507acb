package anchor

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/queuetest"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// FuzzAnchorMessage: only a message that names an event moves one on.
func FuzzAnchorMessage(f *testing.F) {
	queuetest.Seeds(f, "event_id")
	db := queuetest.Nowhere(f)
	w := &Worker{Deps: Deps{DB: db, Outbox: outbox.New(db, nil, slog.New(slog.DiscardHandler)), Log: slog.New(slog.DiscardHandler)}}
	queuetest.Fuzz(f, queue.Anchor, w.Message, func(body string) bool {
		var m map[string]*json.RawMessage
		var in queue.AnchorMessage
		return json.Unmarshal([]byte(body), &m) == nil && json.Unmarshal([]byte(body), &in) == nil && in.EventID != uuid.Nil
	})
}
