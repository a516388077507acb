package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Messages that come twice or out of order, calls that are cut off and a lost database must lead
// to the same end as messages that come once and in order.
func TestDisorderDoesNotChangeTheResult(t *testing.T) {
	t.Parallel()
	const reports = 6
	for _, c := range []struct {
		name  string
		chaos int // rounds of it
	}{{"in order, once each", 0}, {"twice, out of order, killed, database connections closed", 40}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := setup(t)
			for n := range reports {
				s.report(n + 1)
			}
			for range c.chaos {
				s.disorder()
			}
			s.settle()
			s.redrive() // messages whose calls were cut off five times in a row
			s.settle()
			s.finishedAll(reports)
			s.everybodyTold(2*reports, c.chaos > 0)
			s.anchored()
		})
	}
}

// disorder delivers one batch of each queue, every message twice and in random order. Some calls are cut off, some answers
// are lost, and some database connections are closed.
func (s *system) disorder() {
	s.Helper()
	s.later()
	s.sweep()
	for _, name := range order() {
		batch := s.take(name)
		batch = append(batch, batch...)
		s.rand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
		if len(batch) == 0 {
			continue
		}
		ctx, cancel := s.Context(), func() {}
		if s.rand.IntN(2) == 0 { // killed half-way
			ctx, cancel = context.WithTimeout(ctx, time.Duration(s.rand.IntN(60))*time.Millisecond)
		}
		cut := func() bool { return true }
		if s.rand.IntN(3) == 0 {
			cut = time.AfterFunc(time.Duration(s.rand.IntN(20))*time.Millisecond, s.cut).Stop
		}
		if s.rand.IntN(3) == 0 { // its answer is lost: everything comes back
			_, err := s.handlers[name].Handle(ctx, events.SQSEvent{Records: batch})
			s.must(err)
		} else {
			s.hand(ctx, name, s.handlers[name], batch)
		}
		cut()
		cancel()
	}
}

// cut closes every database connection of the workers.
func (s *system) cut() {
	_, _ = s.owner.Exec(context.WithoutCancel(s.Context()), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'lafaekstreet'`)
}
