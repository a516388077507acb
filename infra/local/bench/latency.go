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

// slow is what is not asked often.
const slow = 4 * time.Second

// times are those of one thing done again and again.
type times []time.Duration

// at is a quantile, 0.5 for the median.
func (t times) at(q float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	slices.Sort(t)
	return t[min(int(q*float64(len(t))), len(t)-1)]
}

// subject is an endpoint on a stand, ready to be measured.
type subject struct {
	stand      *stand
	endpoint   endpoint
	requests   []apiclient.Request
	roundTrips [][]dbproxy.RoundTrip // of each request
	since      time.Time
	asked      atomic.Int64 // writes so far

	whole, bare times // by one client and by none, in turns
}

func (s *stand) subject(ctx context.Context, e endpoint, variants int) (*subject, error) {
	out := &subject{stand: s, endpoint: e, since: time.Now()}
	for i := range variants {
		start := time.Now()
		roundTrips, err := s.record(ctx, func() apiclient.Request { return e.request(s.facts, s.on[s.proxied], i) })
		if err != nil {
			return nil, err
		}
		out.requests = append(out.requests, e.request(s.facts, s.on[s.site], i))
		out.roundTrips = append(out.roundTrips, roundTrips)
		if time.Since(start) > slow { // one tells enough, and asking sixteen times over would take the day
			break
		}
	}
	for i := range out.requests { // everything prepared and in memory
		if err := out.once(ctx, i); err != nil {
			return nil, err
		}
	}
	out.whole, out.bare = nil, nil
	return out, nil
}

// once asks variant i of the system and then of the database alone.
func (s *subject) once(ctx context.Context, i int) error {
	i %= len(s.requests)
	request, roundTrips := s.request(i), s.roundTrips[i]
	if s.endpoint.writes {
		roundTrips = s.stand.renewer.Renew(roundTrips, s.since)
	}
	start := time.Now()
	answer, err := s.stand.site.client.Do(ctx, request)
	if err != nil {
		return err
	}
	s.whole = append(s.whole, time.Since(start))
	if answer.Status >= http.StatusBadRequest {
		return fmt.Errorf("%s: status %d: %s", request.Path, answer.Status, excerpt(answer))
	}
	start = time.Now()
	if err := s.stand.replay.Run(ctx, roundTrips); err != nil {
		return err
	}
	if s.endpoint.besides != nil {
		if err := s.endpoint.besides(ctx); err != nil {
			return err
		}
	}
	s.bare = append(s.bare, time.Since(start))
	return nil
}

// request is variant i, or a new one where it changes something.
func (s *subject) request(i int) apiclient.Request {
	if s.endpoint.writes {
		return s.endpoint.request(s.stand.facts, s.stand.on[s.stand.site], int(s.asked.Add(1)))
	}
	return s.requests[i%len(s.requests)]
}

// alternate measures subjects in turns, so that whatever else the machine does falls on all of them alike.
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

// load is what many clients at once saw.
type load struct {
	times     times
	perSecond float64
	failed    int64 // without an answer, or with a 5xx
}

// crowd has clients ask at once for a span, each twice at least.
func (s *subject) crowd(ctx context.Context, clients int, span time.Duration) load {
	var failed atomic.Int64
	all := make([]times, clients)
	start := time.Now()
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := c; i < c+2 || time.Since(start) < span; i++ {
				begun := time.Now()
				answer, err := s.stand.site.client.Do(ctx, s.request(i))
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
