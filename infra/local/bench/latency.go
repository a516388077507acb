package bench

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/dbproxy"
)

// slow is the response time from which an endpoint is measured only once.
const slow = 4 * time.Second

// times are response times of one endpoint.
type times []time.Duration

// at is a quantile; 0.5 is the median.
func (t times) at(q float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	slices.Sort(t)
	return t[min(int(q*float64(len(t))), len(t)-1)]
}

// subject is an endpoint on a testbed, prepared for measuring.
type subject struct {
	testbed    *testbed
	endpoint   endpoint
	requests   []apiclient.Request
	roundTrips [][]dbproxy.RoundTrip // of each request
	events     []place               // of each request, if the endpoint writes: the last event that it made
	since      time.Time
	asked      atomic.Int64 // writes so far

	whole, bare times // of requests by one client, and of their statements without the system
}

func (s *testbed) subject(ctx context.Context, e endpoint, variants int) (*subject, error) {
	out := &subject{testbed: s, endpoint: e, since: time.Now()}
	for i := range variants {
		start := time.Now()
		roundTrips, err := s.record(ctx, func() apiclient.Request { return e.request(s.samples, s.tokens[s.proxied], i) })
		if err != nil {
			return nil, err
		}
		out.requests = append(out.requests, e.request(s.samples, s.tokens[s.site], i))
		out.roundTrips = append(out.roundTrips, roundTrips)
		if e.writes {
			event, err := s.newestEvent(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.name, err)
			}
			out.events = append(out.events, event)
		}
		if time.Since(start) > slow { // more variants would take too long
			break
		}
	}
	for i := range out.requests { // prepares statements and fills caches
		if err := out.once(ctx, i); err != nil {
			return nil, err
		}
	}
	out.whole, out.bare = nil, nil
	return out, nil
}

// once sends variant i to the system, then its statements to the database alone.
func (s *subject) once(ctx context.Context, i int) error {
	i %= len(s.requests)
	request, roundTrips := s.request(i), s.roundTrips[i]
	if s.endpoint.writes {
		roundTrips = s.testbed.renewer.Renew(roundTrips, s.since)
		if err := s.testbed.forget(ctx, s.events[i]); err != nil {
			return fmt.Errorf("%s: %w", s.endpoint.name, err)
		}
	}
	start := time.Now()
	answer, err := s.testbed.site.client.Do(ctx, request)
	if err != nil {
		return err
	}
	s.whole = append(s.whole, time.Since(start))
	if answer.Status >= http.StatusBadRequest {
		return fmt.Errorf("%s: status %d: %s", request.Path, answer.Status, excerpt(answer))
	}
	start = time.Now()
	if err := s.testbed.replay.Run(ctx, roundTrips); err != nil {
		return err
	}
	if s.endpoint.unavoidable != nil {
		if err := s.endpoint.unavoidable(ctx); err != nil {
			return err
		}
	}
	s.bare = append(s.bare, time.Since(start))
	return nil
}

// request is variant i, or a new request if the endpoint writes.
func (s *subject) request(i int) apiclient.Request {
	if s.endpoint.writes {
		return s.endpoint.request(s.testbed.samples, s.testbed.tokens[s.testbed.site], int(s.asked.Add(1)))
	}
	return s.requests[i%len(s.requests)]
}

// alternate measures the subjects in turns, so other load on the machine affects all of them equally.
func alternate(ctx context.Context, span time.Duration, subjects ...*subject) error {
	for i, end := 0, time.Now().Add(span); i < len(subjects[0].requests) || time.Now().Before(end); i++ {
		for _, s := range subjects {
			if err := s.once(ctx, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// load is the result of many clients at once.
type load struct {
	times     times
	perSecond float64
	failed    int64 // without an answer, or with a 5xx
}

// concurrently has a number of clients send requests for the time span, each at least two.
func (s *subject) concurrently(ctx context.Context, clients int, span time.Duration) load {
	var failed atomic.Int64
	all := make([]times, clients)
	start := time.Now()
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := c; i < c+2 || time.Since(start) < span; i++ {
				begun := time.Now()
				answer, err := s.testbed.site.client.Do(ctx, s.request(i))
				if err != nil || answer.Status >= http.StatusInternalServerError {
					failed.Add(1)
				}
				all[c] = append(all[c], time.Since(begun))
			}
		})
	}
	wg.Wait()
	out := load{times: slices.Concat(all...), failed: failed.Load()}
	out.perSecond = float64(len(out.times)) / time.Since(start).Seconds()
	return out
}
