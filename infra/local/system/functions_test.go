package system

import (
	"os"
	"slices"
	"testing"
)

// Every function of the repository runs on one machine, except those that only a deploy calls.
func TestRunsEveryFunction(t *testing.T) {
	t.Parallel()
	run := []string{"keys", "migrate"}
	for _, g := range groups() {
		run = append(run, g.name)
	}
	for _, w := range workers() {
		run = append(run, string(w.queue))
	}
	for _, s := range schedules() {
		run = append(run, s.name)
	}
	there, err := os.ReadDir("../../../functions")
	if err != nil {
		t.Fatal(err)
	}
	for _, function := range there {
		if !slices.Contains(run, function.Name()) {
			t.Errorf("functions/%s is not started", function.Name())
		}
	}
}
