package simulation

import (
	"fmt"
	"math/rand/v2"
	"sync"
)

// book is what the people know of their own writes.
type book struct {
	mu       sync.Mutex
	reports  []*entry
	refusals []string
	accepted int
	told     func(n int) // of each write; may be nil
}

// accept counts a write.
func (b *book) accept() {
	b.mu.Lock()
	b.accepted++
	n := b.accepted
	b.mu.Unlock()
	if b.told != nil {
		b.told(n)
	}
}

// entry is a report that was accepted.
type entry struct {
	clientID, id, number, owner string
	picture                     bool

	mu       sync.Mutex        // held while somebody decides about it
	moves    []move            // of staff, in order
	comments map[string]string // by client_id: the author
}

type move struct{ from, to string }

func newBook() *book { return &book{} }

// enter takes a report in.
func (b *book) enter(e *entry) {
	e.comments = map[string]string{}
	b.mu.Lock()
	b.reports = append(b.reports, e)
	b.mu.Unlock()
	b.accept()
}

// refused notes an answer that nobody should have got.
func (b *book) refused(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refusals = append(b.refusals, fmt.Sprintf(format, args...))
}

// any is one of the reports, nil when there are none.
func (b *book) any(random *rand.Rand) *entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.reports) == 0 {
		return nil
	}
	return b.reports[random.IntN(len(b.reports))]
}
