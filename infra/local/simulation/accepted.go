package simulation

import (
	"fmt"
	"math/rand/v2"
	"sync"
)

// accepted are the writes that the system accepted, as the users know them.
type accepted struct {
	mu       sync.Mutex
	reports  []*acceptedReport
	refusals []string
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
