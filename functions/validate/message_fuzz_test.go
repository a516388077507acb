package validate

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/queuetest"
	"github.com/lafaekstreet/backend/shared/queue"
)

// FuzzValidateMessage: only a message that names a report has one judged.
func FuzzValidateMessage(f *testing.F) {
	queuetest.Seeds(f, "report_id")
	w := &Worker{db: queuetest.Nowhere(f), log: slog.New(slog.DiscardHandler)}
	queuetest.Fuzz(f, queue.Validate, w.handleMessage, func(body string) bool {
		var m map[string]*json.RawMessage
		var in queue.ValidateMessage
		return json.Unmarshal([]byte(body), &m) == nil && json.Unmarshal([]byte(body), &in) == nil && in.ReportID != uuid.Nil
	})
}
