// Package simulation plays the users of a system, and checks afterwards that every write it accepted exists exactly
// once, with everything that follows from it.
package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// MaxConcurrent is how many actions Run has in progress at most. While that many are, it skips new ones.
const MaxConcurrent = 64

// Person is somebody who is signed in.
type Person struct{ ID, Token string }

// Simulation plays users of one system.
type Simulation struct {
	// Skipped is how many actions Run did not begin.
	Skipped int

	url      string
	http     *http.Client
	outcomes *outcomes
	accepted *accepted
	citizens []*user
	staff    *user
	random   *rand.Rand // used by Run alone
	receiver *Receiver  // nil without a webhook
	digested bool       // the daily mails were sent

	tasks      sync.WaitGroup
	inProgress chan struct{}
}

// New simulates people who are signed in to the system at url. Staff is an administrator.
func New(url string, staff Person, citizens []Person, seed uint64) *Simulation {
	s := &Simulation{url: url, outcomes: newOutcomes(), accepted: &accepted{}, random: rand.New(rand.NewPCG(seed, 7)), inProgress: make(chan struct{}, MaxConcurrent),
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: MaxConcurrent, IdleConnTimeout: 30 * time.Second}}}
	s.staff = s.user(staff)
	for _, p := range citizens {
		s.citizens = append(s.citizens, s.user(p))
	}
	return s
}

func (s *Simulation) user(p Person) *user {
	return &user{Client: apiclient.Client{URL: s.url, Token: p.Token, HTTP: s.http}, id: p.ID, outcomes: s.outcomes, timeout: attemptTimeout}
}

// SetTimeout sets how long every user waits for a response. Reconcile counts a longer wait as a difference.
func (s *Simulation) SetTimeout(timeout time.Duration) {
	for _, u := range append([]*user{s.staff}, s.citizens...) {
		u.timeout = timeout
	}
}

// OnAccepted has f called after each accepted write, with the number of them. Only the user who wrote waits for f.
func (s *Simulation) OnAccepted(f func(n int)) { s.accepted.observe = f }

// Run begins rate actions a second until ctx ends. It does not wait for them: see Wait.
func (s *Simulation) Run(ctx context.Context, rate float64) {
	tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer tick.Stop()
	lasting := context.WithoutCancel(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case s.inProgress <- struct{}{}:
		default:
			s.Skipped++
			continue
		}
		act, who, seed := s.choose(s.random.IntN(100)), s.citizens[s.random.IntN(len(s.citizens))], s.random.Uint64()
		s.tasks.Go(func() {
			defer func() { <-s.inProgress }()
			act(lasting, who, rand.New(rand.NewPCG(seed, 1)))
		})
	}
}

// Wait waits until no action is in progress.
func (s *Simulation) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { s.tasks.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(5 * time.Minute):
		return fmt.Errorf("%d actions do not end", len(s.inProgress))
	}
}

// Write does one random write as the i-th citizen, or as staff, and returns when its result is known. It does nothing
// when the write needs a report and there is none.
func (s *Simulation) Write(ctx context.Context, i int, random *rand.Rand) {
	s.choose(random.IntN(writes))(ctx, s.citizens[i%len(s.citizens)], random)
}

type action func(ctx context.Context, who *user, random *rand.Rand)

// writes is how many of 100 actions change something.
const writes = 84

// choose maps a number from 0 to 99 to an action.
func (s *Simulation) choose(n int) action {
	switch {
	case n < 35:
		return s.createReport
	case n < 44:
		return s.createBatch
	case n < 56:
		return s.comment
	case n < 64:
		return s.ride
	case n < writes:
		return s.changeStatus
	default:
		return s.read
	}
}
