package telemetry

import (
	"encoding/json"
	"io"
	"sync"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Namespace of every metric of the system.
const Namespace = "LafaekStreet"

// Unit is a CloudWatch unit.
type Unit string

// Units in use.
const (
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
	Seconds      Unit = "Seconds"
)

// Metrics emits values. The zero value and nil drop them.
type Metrics struct {
	mu       sync.Mutex
	w        io.Writer
	clock    timestamp.Clock
	function string
}

// NewMetrics writes to w for the named function.
func NewMetrics(w io.Writer, function string, now timestamp.Clock) *Metrics {
	return &Metrics{w: w, clock: now, function: function}
}

// Add counts one occurrence.
func (m *Metrics) Add(name string) { m.Put(name, 1, Count) }

// Put emits a value. Names are fixed words, never anything a client sent.
func (m *Metrics) Put(name string, value float64, unit Unit) {
	if m == nil || m.w == nil {
		return
	}
	line, err := json.Marshal(map[string]any{
		"_aws": map[string]any{
			"Timestamp": m.clock.Now().UnixMilli(),
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace": Namespace, "Dimensions": [][]string{{"function"}, {}},
				"Metrics": []any{map[string]any{"Name": name, "Unit": string(unit)}},
			}},
		},
		"function": m.function, name: value,
	})
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = m.w.Write(append(line, '\n')) // a lost metric must not fail a request
}
