package pipeline_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/queue"
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

// A batch of messages to anchor is one round: the messages only say that there is work.
func TestABatchIsOneRoundOfTheLog(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, q := range []string{
		`CREATE TABLE leases (id uuid)`,
		`CREATE FUNCTION note_lease() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN INSERT INTO leases VALUES (NEW.leased_by); RETURN NEW; END $$`,
		`CREATE TRIGGER note_lease AFTER UPDATE OF leased_by ON log_head FOR EACH ROW WHEN (NEW.leased_by IS NOT NULL) EXECUTE FUNCTION note_lease()`,
	} {
		_, err := s.owner.Exec(t.Context(), q)
		s.must(err)
	}
	var batch events.SQSEvent
	for n := range catalog.MaxBatch {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: strconv.Itoa(n)})
	}
	answer, err := s.handlers[queue.Anchor].Handle(t.Context(), batch)
	s.must(err)
	var rounds int
	s.must(s.owner.QueryRow(t.Context(), `SELECT count(DISTINCT id) FROM leases`).Scan(&rounds))
	if rounds != 1 || len(answer.BatchItemFailures) > 0 {
		t.Errorf("%d rounds, %d messages come back", rounds, len(answer.BatchItemFailures))
	}
}
