package system

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// Every function of the catalogue runs on one machine, except those that only a deploy calls.
func TestEveryFunctionRunsLocally(t *testing.T) {
	t.Parallel()
	want := make(map[catalog.Kind][]string)
	for _, f := range catalog.Functions() {
		want[f.Kind] = append(want[f.Kind], string(f.Name))
	}
	compare(t, httpFunctions(), want[catalog.HTTP])
	compare(t, workers(), want[catalog.Queue])
	compare(t, scheduled(), want[catalog.Schedule])
}

func compare[Name ~string, Open any](t *testing.T, openers map[Name]Open, want []string) {
	t.Helper()
	var got []string
	for name := range maps.Keys(openers) {
		got = append(got, string(name))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("opens %v, want %v", got, want)
	}
}

// A message that is visible again before its call has ended is handled twice at the same time.
func TestMessageStaysHiddenWhileItIsHandled(t *testing.T) {
	t.Parallel()
	for _, q := range catalog.Queues() {
		if got := visibility(q); got < q.Consumer().Timeout {
			t.Errorf("%s: hidden for %v, and its function may take %v", q.Name, got, q.Consumer().Timeout)
		}
	}
}

// A function that runs at times of the day runs at the next of them, and one with an interval after its interval.
func TestUntilTheNextCall(t *testing.T) {
	t.Parallel()
	daily := catalog.Function{Daily: []time.Duration{22*time.Hour + 30*time.Minute, 22*time.Hour + 40*time.Minute}}
	for now, want := range map[string]time.Duration{"00:00": 22*time.Hour + 30*time.Minute, "22:29": time.Minute, "22:30": 10 * time.Minute, "22:41": 23*time.Hour + 49*time.Minute} {
		at, err := time.Parse("2006-01-02 15:04", "2026-12-31 "+now)
		if err != nil {
			t.Fatal(err)
		}
		if got := untilNext(daily, at); got != want {
			t.Errorf("at %s: in %v, want %v", now, got, want)
		}
	}
	if got := untilNext(catalog.Function{Every: time.Hour}, time.Now()); got != time.Hour/speed {
		t.Errorf("each hour: in %v", got)
	}
}
