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

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// outcomes counts the attempts by kind of request and outcome.
type outcomes struct {
	mu      sync.Mutex
	counts  map[string]map[string]int
	slowest map[string]time.Duration
	// faulty describes responses that must not happen: 401, 5xx other than 503, 503 without Retry-After, and timeouts.
	faulty []string
}

func newOutcomes() *outcomes {
	return &outcomes{counts: map[string]map[string]int{}, slowest: map[string]time.Duration{}}
}

func (t *outcomes) add(kind, outcome string) {
	if t.counts[kind] == nil {
		t.counts[kind] = map[string]int{}
	}
	t.counts[kind][outcome]++
}

func (t *outcomes) answered(kind string, a apiclient.Response, retryAfter bool, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	outcome := strconv.Itoa(a.Status)
	if code := a.Code(); a.Status >= 400 && code != "" {
		outcome += " " + code
	}
	t.add(kind, outcome)
	t.slowest[kind] = max(t.slowest[kind], took)
	if a.Status >= 500 && (a.Status != 503 || !retryAfter) || a.Status == 401 {
		t.faulty = append(t.faulty, fmt.Sprintf("%s  %s: %d, Retry-After %v: %.200s", time.Now().UTC().Format("15:04:05.000"), kind, a.Status, retryAfter, a.Body))
	}
}

func (t *outcomes) failed(kind string, aborted bool, timeout time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var network *net.OpError
	switch {
	case aborted && errors.Is(err, context.DeadlineExceeded):
		t.add(kind, "aborted")
	case errors.Is(err, syscall.ECONNREFUSED):
		t.add(kind, "refused")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &network):
		t.add(kind, "connection lost")
	case errors.Is(err, context.DeadlineExceeded):
		t.add(kind, "timed out")
		t.faulty = append(t.faulty, fmt.Sprintf("%s  %s: no response within %s", time.Now().UTC().Format("15:04:05.000"), kind, timeout))
	case errors.Is(err, context.Canceled):
	default:
		t.add(kind, "connection lost")
	}
}

// print writes the outcomes and returns the number of faulty ones.
func (t *outcomes) print(w io.Writer) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintln(w, "\nresponses")
	for _, kind := range slices.Sorted(maps.Keys(t.counts)) {
		line := ""
		for _, outcome := range slices.Sorted(maps.Keys(t.counts[kind])) {
			line += fmt.Sprintf("  %s × %d", outcome, t.counts[kind][outcome])
		}
		fmt.Fprintf(w, "  %-14s slowest %6d ms %s\n", kind, t.slowest[kind].Milliseconds(), line)
	}
	for _, f := range t.faulty[:min(len(t.faulty), 30)] {
		fmt.Fprintln(w, "  FAULTY:", f)
	}
	return len(t.faulty)
}
