package main

import (
	"slices"
	"testing"

	"github.com/lafaekstreet/backend/infra/deployed"
)

// memory tells what every function took until now, one request at a time on two connections to the database; HTTP
// functions had 256 MB for it, and whoever wanted more is dead. It asks after the story and the acceptance tests, and
// before anything is ended on purpose.
func (s *site) memory(t *testing.T) {
	all, err := s.Memories()
	if err != nil {
		t.Fatal(err)
	}
	most := map[string]deployed.Memory{}
	var names []string
	for _, m := range all {
		if m.Starts > 1 {
			t.Errorf("%s was started %d times: it died on the way", m.Function, m.Starts)
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
