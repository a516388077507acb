package main

import (
	"slices"
	"testing"

	"github.com/lafaekstreet/backend/infra/deployed"
)

// memory logs how much memory each function has taken so far, with one request at a time and two connections to the database.
// An HTTP function has 256 MiB here, and dies if it wants more. This runs after the story and the acceptance tests, and before
// tests that end functions on purpose.
func (s *site) memory(t *testing.T) {
	all, err := s.Memories()
	if err != nil {
		t.Fatal(err)
	}
	most := map[string]deployed.Memory{}
	var names []string
	for _, m := range all {
		if m.Starts > 1 {
			t.Errorf("%s was started %d times: it died in between", m.Function, m.Starts)
		}
		if !slices.Contains(names, m.Function) {
			names = append(names, m.Function)
		}
		if m.Peak > most[m.Function].Peak {
			most[m.Function] = m
		}
	}
	if len(names) < 15 {
		t.Errorf("only %v were called", names)
	}
	slices.Sort(names)
	for _, name := range names {
		t.Logf("%-14s %4d MiB of %d", name, most[name].Peak>>20, most[name].Limit)
	}
}
