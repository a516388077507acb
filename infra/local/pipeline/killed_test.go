package pipeline_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/functions/relay"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/queue"
)

// mostDeaths bounds the deaths of a worker; relay's tasks after these are nobody's message.
func mostDeaths(name queue.Name) int {
	if name == "relay" {
		return 30
	}
	return 80
}

// TestKilledBetweenEffectAndMark kills each worker before each thing it says to
// the database in turn, so that whatever it has done outside by then is done and
// nothing more is written down. Another process takes over; the end is as ever.
//
// The ledger's worker has the same in functions/anchor.
func TestKilledBetweenEffectAndMark(t *testing.T) {
	t.Parallel()
	for _, name := range []queue.Name{queue.Images, queue.Validate, queue.Notify, queue.Geocode, "relay"} {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			s := setup(t)
			deaths := 0
			for struck := true; struck && deaths < mostDeaths(name); deaths++ {
				s.report(deaths + 1)
				s.upTo(name)
				struck = s.doomed(name, deaths+1)
				s.settle()
			}
			s.finishedAll(deaths)
			s.everybodyTold(2*deaths, true)
			if told := s.told(); told != fmt.Sprintf("%d mails, %d pushes", 2*deaths, 2*deaths) {
				t.Errorf("%d reports, %s", deaths, told) // killed after the mark, it had sent all the same
			}
			s.anchored()
			if dead := s.dead(); dead != "" {
				t.Errorf("dead letters: %s", dead)
			}
			if deaths < 6 {
				t.Errorf("only %d deaths: the worker was not killed everywhere", deaths)
			}
			t.Logf("killed at %d places", deaths-1)
		})
	}
}

// upTo has all others work until only the named worker has something to do.
func (s *system) upTo(name queue.Name) {
	s.Helper()
	var others []queue.Name
	for _, other := range order() {
		if other != name {
			others = append(others, other)
		}
	}
	if name == "relay" { // what the API's crash left behind
		_, err := s.owner.Exec(s.Context(), `INSERT INTO outbox (id, queue, body, not_before)
			SELECT gen_random_uuid(), 'notify', jsonb_build_object('notification_id', id), now() - interval '1 hour' FROM notifications WHERE type = 'report_received'`)
		s.must(err)
		return
	}
	for s.deliver(others...) {
	}
}

// doomed delivers to a process that dies before its n-th word to the database,
// and reports whether it lived to say so many.
func (s *system) doomed(name queue.Name, n int) bool {
	s.Helper()
	address, err := url.Parse(s.env["DATABASE_URL"])
	s.must(err)
	line := listen(s, address.Host)
	line.cutAt(n)
	address.Host = line.listener.Addr().String()
	env := config.Env{}
	for k, v := range s.env {
		env[k] = v
	}
	env["DATABASE_URL"] = address.String()
	env["DATABASE_MAX_CONNS"] = "1" // one word after the other: what was said before the cut was answered
	if name == "relay" {
		doomed, err := relay.Open(s.Context(), env)
		s.must(err)
		_ = doomed.Run(s.Context(), events.EventBridgeEvent{})
		return line.wasCut()
	}
	doomed, err := workers()[name](s.Context(), env)
	s.must(err)
	for _, m := range s.take(name) {
		res, err := doomed.Handle(s.Context(), events.SQSEvent{Records: []events.SQSMessage{m}})
		s.must(err)
		if !line.wasCut() && len(res.BatchItemFailures) == 0 {
			s.remove(name, m) // of the dead nobody hears
		}
	}
	return line.wasCut()
}
