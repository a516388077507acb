package fetch

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/queuetest"
	"github.com/lafaekstreet/backend/shared/queue"
)

// FuzzFetchMessage: only a message that names an upload is worked on.
func FuzzFetchMessage(f *testing.F) {
	queuetest.Seeds(f, "upload_id")
	w := &Worker{db: queuetest.Nowhere(f), log: slog.New(slog.DiscardHandler)}
	queuetest.Fuzz(f, queue.Fetch, w.handle, func(body string) bool {
		var m queue.FetchMessage
		return json.Unmarshal([]byte(body), &m) == nil && m.UploadID != uuid.Nil
	})
}
