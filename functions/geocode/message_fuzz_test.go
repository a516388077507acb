package geocode

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/queuetest"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/service"
)

// FuzzGeocodeMessage: only a message that names a report has its place named.
func FuzzGeocodeMessage(f *testing.F) {
	queuetest.Seeds(f, "report_id")
	db := queuetest.Nowhere(f)
	g := &Geocode{kit: &service.Kit{DB: db}, log: slog.New(slog.DiscardHandler)}
	queuetest.Fuzz(f, queue.Geocode, g.handle, func(body string) bool {
		var m map[string]*json.RawMessage
		var in queue.GeocodeMessage
		return json.Unmarshal([]byte(body), &m) == nil && json.Unmarshal([]byte(body), &in) == nil && in.ReportID != uuid.Nil
	})
}
