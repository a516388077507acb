package system

import (
	"path/filepath"
	"slices"
	"testing"
)

// Every function of the repository runs on one machine, except those that only a deploy calls.
func TestRunsEveryFunction(t *testing.T) {
	t.Parallel()
	run := []string{"keys", "migrate", "verify"}
	for _, g := range groups() {
		run = append(run, g.name)
	}
	for _, w := range workers() {
		run = append(run, string(w.queue))
	}
	for _, s := range schedules() {
		run = append(run, s.name)
	}
	commands, err := filepath.Glob("../../../functions/*/lambda/main.go")
	if err != nil || len(commands) == 0 {
		t.Fatalf("no functions found: %v", err)
	}
	for _, command := range commands {
		name := filepath.Base(filepath.Dir(filepath.Dir(command)))
		if !slices.Contains(run, name) {
			t.Errorf("functions/%s is not started", name)
		}
	}
}
