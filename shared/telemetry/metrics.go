package telemetry

import (
	"encoding/json"
	"io"
	"sync"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Metrics emits values. The zero value and nil drop them.
type Metrics struct {
	mu              sync.Mutex
	w               io.Writer
	clock           timestamp.Clock
	stage, function string
	version         string // see OfVersion
}

// NewMetrics writes to w for the named function of a stage.
func NewMetrics(w io.Writer, stage, function string, now timestamp.Clock) *Metrics {
	return &Metrics{w: w, clock: now, stage: stage, function: function}
}

// OfVersion makes m also count server errors by the version of the function, so that an alarm can watch a new version alone.
// Other metrics have no version: each version would be a metric of its own, which costs.
func (m *Metrics) OfVersion(version string) { m.version = version }

// dimensions are the ways in which CloudWatch sums a metric up.
func (m *Metrics) dimensions(metric catalog.Metric) [][]string {
	out := [][]string{{"function"}, {}}
	if metric == catalog.ServerErrors && m.version != "" {
		out = append(out, []string{"function", "version"})
	}
	return out
}

// Add counts one occurrence.
func (m *Metrics) Add(metric catalog.Metric) { m.Put(metric, 1) }

// Put emits a value in the unit of the metric.
func (m *Metrics) Put(metric catalog.Metric, value float64) {
	if m == nil || m.w == nil {
		return
	}
	members := map[string]any{
		"_aws": map[string]any{
			"Timestamp": m.clock.Now().UnixMilli(),
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace": catalog.Namespace(m.stage), "Dimensions": m.dimensions(metric),
				"Metrics": []any{map[string]any{"Name": metric.Name(), "Unit": string(metric.Unit())}},
			}},
		},
		"function": m.function, metric.Name(): value,
	}
	if m.version != "" {
		members["version"] = m.version
	}
	line, err := json.Marshal(members)
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = m.w.Write(append(line, '\n')) // a lost metric must not fail a request
}
