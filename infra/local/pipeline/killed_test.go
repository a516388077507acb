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

// mostDeaths is how many times a worker is killed at most. Relay goes on with tasks that send no message after about 30.
func mostDeaths(name queue.Name) int {
	if name == "relay" {
		return 30
	}
	return 80
}

// TestKilledWorkersLoseAndRepeatNothing kills each worker before its first, second, third … message to the database. What it did
// outside of the database until then is done, but not recorded. Another process takes over; every report must end as usual.
//
// functions/anchor has the same test for the worker of the ledger.
func TestKilledWorkersLoseAndRepeatNothing(t *testing.T) {
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
				t.Errorf("%d reports, %s", deaths, told) // a killed worker must have sent what it had marked
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

// upTo has all other workers work until only the named one has messages.
func (s *system) upTo(name queue.Name) {
	s.Helper()
	var others []queue.Name
	for _, other := range order() {
		if other != name {
			others = append(others, other)
		}
	}
	if name == "relay" { // messages that a crash of the API left in the outbox
		_, err := s.owner.Exec(s.Context(), `INSERT INTO outbox (id, queue, body, not_before)
			SELECT gen_random_uuid(), 'notify', jsonb_build_object('notification_id', id), now() - interval '1 hour' FROM notifications WHERE type = 'report_received'`)
		s.must(err)
		return
	}
	for s.deliver(others...) {
	}
}

// doomed gives the messages to a worker whose database connection is cut before its n-th message to the database. It
// reports whether the cut happened.
func (s *system) doomed(name queue.Name, n int) bool {
	s.Helper()
	address, err := url.Parse(s.env["DATABASE_URL"])
	s.must(err)
	proxy := listen(s, address.Host)
	proxy.cutAt(n)
	address.Host = proxy.listener.Addr().String()
	env := config.Env{}
	for k, v := range s.env {
		env[k] = v
	}
	env["DATABASE_URL"] = address.String()
	env["DATABASE_MAX_CONNS"] = "1" // one connection: everything before the cut was answered
	if name == "relay" {
		doomed, err := relay.Open(s.Context(), env)
		s.must(err)
		_ = doomed.Run(s.Context(), events.EventBridgeEvent{})
		return proxy.wasCut()
	}
	doomed, err := workers()[name](s.Context(), env)
	s.must(err)
	for _, m := range s.take(name) {
		res, err := doomed.Handle(s.Context(), events.SQSEvent{Records: []events.SQSMessage{m}})
		s.must(err)
		if !proxy.wasCut() && len(res.BatchItemFailures) == 0 {
			s.remove(name, m) // a killed worker cannot delete its message
		}
	}
	return proxy.wasCut()
}
