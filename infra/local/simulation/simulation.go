// Package simulation is the people who use a system, and the account of every write of theirs that was accepted: each is
// there, with all that follows from it, and nothing is there twice.
package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// MostUnderWay bounds what Work tries at once; while it is reached, nothing new is begun.
const MostUnderWay = 64

// Person is somebody who is signed in.
type Person struct{ ID, Token string }

// Crowd is everybody who uses the system.
type Crowd struct {
	// HeldBack is how many actions Work did not begin.
	HeldBack int

	url       string
	transport http.RoundTripper
	tally     *tally
	book      *book
	people    []*client
	staff     *client
	random    *rand.Rand // of the one goroutine that decides

	tasks    sync.WaitGroup
	underWay chan struct{}
}

// New is a crowd of people who are signed in to the system at url, one of them an administrator.
func New(url string, staff Person, citizens []Person, seed uint64) *Crowd {
	d := &Crowd{url: url, tally: newTally(), book: newBook(), random: rand.New(rand.NewPCG(seed, 7)), underWay: make(chan struct{}, MostUnderWay),
		transport: &http.Transport{MaxIdleConnsPerHost: MostUnderWay, IdleConnTimeout: 30 * time.Second}}
	d.staff = d.client(staff)
	for _, p := range citizens {
		d.people = append(d.people, d.client(p))
	}
	return d
}

func (d *Crowd) client(p Person) *client {
	return &client{base: d.url + "/api/v1", id: p.ID, token: p.Token, http: &http.Client{Transport: d.transport}, tally: d.tally, patience: attemptTimeout}
}

// WaitFor has everybody wait so long for an answer; that none came within it is a difference.
func (d *Crowd) WaitFor(patience time.Duration) {
	for _, c := range append([]*client{d.staff}, d.people...) {
		c.patience = patience
	}
}

// Accepted has f called with the number of writes accepted so far, each time there is another. f may take its time: only
// whoever wrote waits for it.
func (d *Crowd) Accepted(f func(n int)) { d.book.told = f }

// Work begins so many actions a second until ctx ends. They go on for themselves.
func (d *Crowd) Work(ctx context.Context, rate float64) {
	tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer tick.Stop()
	unhurried := context.WithoutCancel(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case d.underWay <- struct{}{}:
		default:
			d.HeldBack++
			continue
		}
		act, who, seed := d.choose(d.random.IntN(100)), d.people[d.random.IntN(len(d.people))], d.random.Uint64()
		d.tasks.Go(func() {
			defer func() { <-d.underWay }()
			act(unhurried, who, rand.New(rand.NewPCG(seed, 1)))
		})
	}
}

// Finish waits for what is under way.
func (d *Crowd) Finish(ctx context.Context) error {
	done := make(chan struct{})
	go func() { d.tasks.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(5 * time.Minute):
		return fmt.Errorf("%d writes do not come to an end", len(d.underWay))
	}
}

// Write has the i-th of the citizens, or staff, change something, and returns when what came of it is known. A choice
// there is nothing for yet changes nothing.
func (d *Crowd) Write(ctx context.Context, i int, random *rand.Rand) {
	d.choose(random.IntN(writes))(ctx, d.people[i%len(d.people)], random)
}

type action func(ctx context.Context, who *client, random *rand.Rand)

// writes is how many of the hundred choices there are change something.
const writes = 76

// choose is what n, of 0 to 99, stands for.
func (d *Crowd) choose(n int) action {
	switch {
	case n < 35:
		return d.file
	case n < 44:
		return d.fileBatch
	case n < 56:
		return d.comment
	case n < writes:
		return d.decide
	default:
		return d.read
	}
}
