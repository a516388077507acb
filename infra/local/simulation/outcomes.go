package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// tally counts every attempt by what was asked and what came of it.
type tally struct {
	mu      sync.Mutex
	counts  map[string]map[string]int
	slowest map[string]time.Duration
	// faulty are answers that should not be: 500s, and 503s that do not say when to come back.
	faulty []string
}

func newTally() *tally {
	return &tally{counts: map[string]map[string]int{}, slowest: map[string]time.Duration{}}
}

func (t *tally) add(kind, outcome string) {
	if t.counts[kind] == nil {
		t.counts[kind] = map[string]int{}
	}
	t.counts[kind][outcome]++
}

func (t *tally) answered(kind string, a answer, saysWhen bool, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	outcome := strconv.Itoa(a.status)
	if code := a.text("code"); a.status >= 400 && code != "" {
		outcome += " " + code
	}
	t.add(kind, outcome)
	t.slowest[kind] = max(t.slowest[kind], took)
	if a.status >= 500 && (a.status != 503 || !saysWhen) || a.status == 401 {
		t.faulty = append(t.faulty, fmt.Sprintf("%s  %s: %d, Retry-After %v: %.200s", time.Now().UTC().Format("15:04:05.000"), kind, a.status, saysWhen, a.raw))
	}
}

func (t *tally) lost(kind string, hungUp bool, patience time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var network *net.OpError
	switch {
	case hungUp && errors.Is(err, context.DeadlineExceeded):
		t.add(kind, "hung up")
	case errors.Is(err, syscall.ECONNREFUSED):
		t.add(kind, "refused")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &network):
		t.add(kind, "connection lost")
	case errors.Is(err, context.DeadlineExceeded):
		t.add(kind, "timed out")
		t.faulty = append(t.faulty, fmt.Sprintf("%s  %s: no answer within %s", time.Now().UTC().Format("15:04:05.000"), kind, patience))
	case errors.Is(err, context.Canceled):
	default:
		t.add(kind, "connection lost")
	}
}

// print lists the outcomes and returns how many should not have been.
func (t *tally) print(w io.Writer) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintln(w, "\nanswers")
	for _, kind := range slices.Sorted(maps.Keys(t.counts)) {
		line := ""
		for _, outcome := range slices.Sorted(maps.Keys(t.counts[kind])) {
			line += fmt.Sprintf("  %s × %d", outcome, t.counts[kind][outcome])
		}
		fmt.Fprintf(w, "  %-14s slowest %6d ms %s\n", kind, t.slowest[kind].Milliseconds(), line)
	}
	for _, f := range t.faulty[:min(len(t.faulty), 30)] {
		fmt.Fprintln(w, "  NOT AS IT SHOULD BE:", f)
	}
	return len(t.faulty)
}
