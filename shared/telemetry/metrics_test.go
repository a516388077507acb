package telemetry_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// The alarm that stops a deployment counts the errors of the new version alone. Other metrics are not counted by version.
func TestServerErrorsAreCountedByVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		metric   catalog.Metric
		version  string
		counted  string
		versions int
	}{
		{catalog.ServerErrors, "7", `"Dimensions":[["function"],[],["function","version"]]`, 1},
		{catalog.ServerErrors, "", `"Dimensions":[["function"],[]]`, 0},
		{catalog.ReceiptsMissing, "7", `"Dimensions":[["function"],[]]`, 1},
	} {
		var out bytes.Buffer
		m := telemetry.NewMetrics(&out, "test", "reports", timestamp.NewManual(time.Unix(0, 0)))
		m.OfVersion(c.version)
		m.Add(c.metric)
		if line := out.String(); !strings.Contains(line, c.counted) || strings.Count(line, `"version":"7"`) != c.versions {
			t.Errorf("%s of version %q: %s", c.metric.Name(), c.version, line)
		}
	}
}
