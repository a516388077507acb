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
}

// NewMetrics writes to w for the named function of a stage.
func NewMetrics(w io.Writer, stage, function string, now timestamp.Clock) *Metrics {
	return &Metrics{w: w, clock: now, stage: stage, function: function}
}

// Add counts one occurrence.
func (m *Metrics) Add(metric catalog.Metric) { m.Put(metric, 1) }

// Put emits a value in the unit of the metric.
func (m *Metrics) Put(metric catalog.Metric, value float64) {
	if m == nil || m.w == nil {
		return
	}
	line, err := json.Marshal(map[string]any{
		"_aws": map[string]any{
			"Timestamp": m.clock.Now().UnixMilli(),
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace": catalog.Namespace(m.stage), "Dimensions": [][]string{{"function"}, {}},
				"Metrics": []any{map[string]any{"Name": metric.Name(), "Unit": string(metric.Unit())}},
			}},
		},
		"function": m.function, metric.Name(): value,
	})
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = m.w.Write(append(line, '\n')) // a lost metric must not fail a request
}
