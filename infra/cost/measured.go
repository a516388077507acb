// Package cost computes what a month costs: prices times quantities, less the free allowances. See decision 0014.
package cost

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

//go:embed counts.json
var counts []byte

// Measured are the counts of a run, and what no run on one machine can count.
type Measured struct {
	// Date, Commit and Command say when, on what and how Run was counted.
	Date, Commit, Command string
	Run                   Run
	Assumed               []Assumption
}

// Run is what was counted while some reports went through the whole system.
type Run struct {
	Reports int            `json:"reports"`
	Counts  map[string]int `json:"counts"` // by kind of request; "call images" are calls of the worker images
}

// Assumption is a quantity that was not counted, with the reason for its value.
type Assumption struct {
	Name  string
	Value float64
	Unit  string
	Why   string
}

// ReadMeasured reads counts.json.
func ReadMeasured() (*Measured, error) {
	var m Measured
	if err := json.Unmarshal(counts, &m); err != nil {
		return nil, fmt.Errorf("read counts.json: %w", err)
	}
	return &m, nil
}

// each is the count of one kind for one report.
func (r Run) each(kinds ...string) float64 {
	sum := 0
	for _, kind := range kinds {
		sum += r.Counts[kind]
	}
	return float64(sum) / float64(r.Reports)
}

// Exceeded lists the kinds of request that the run by makes over 10 % more often for each report than r does.
func (r Run) Exceeded(by Run) []string {
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(by.Counts)) {
		if was, is := r.each(kind), by.each(kind); is > 1.1*was {
			out = append(out, fmt.Sprintf("%s: %.1f each report, %.1f in counts.json", kind, is, was))
		}
	}
	return out
}
