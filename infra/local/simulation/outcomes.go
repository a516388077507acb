package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
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

// accepted are the writes that the system accepted, as the users know them.
type accepted struct {
	mu       sync.Mutex
	reports  []*acceptedReport
	journeys []*acceptedJourney
	alerts   map[string]string // user by id of the alert
	refusals []string
	receipts []keptReceipt
	count    int
	observe  func(n int) // called for each write; may be nil
}

// add counts a write.
func (b *accepted) add() {
	b.mu.Lock()
	b.count++
	n := b.count
	b.mu.Unlock()
	if b.observe != nil {
		b.observe(n)
	}
}

// acceptedReport is a report that was accepted.
type acceptedReport struct {
	clientID, id, number, owner string
	picture                     bool

	mu       sync.Mutex        // locked while a user changes its status
	changes  []statusChange    // by staff, in order
	comments map[string]string // author by client_id
}

type statusChange struct{ from, to string }

// addReport adds a report and counts it.
func (b *accepted) addReport(r *acceptedReport) {
	r.comments = map[string]string{}
	b.mu.Lock()
	b.reports = append(b.reports, r)
	b.mu.Unlock()
	b.add()
}

// refused records a response that no user should get.
func (b *accepted) refused(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refusals = append(b.refusals, fmt.Sprintf(format, args...))
}

// any returns one of the reports, or nil when there is none.
func (b *accepted) any(random *rand.Rand) *acceptedReport {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.reports) == 0 {
		return nil
	}
	return b.reports[random.IntN(len(b.reports))]
}
