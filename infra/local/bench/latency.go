package bench

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lafaekstreet/backend/infra/local/tap"
)

// clients is how many ask at once in the second half of a row.
const clients = 16

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
	stand    *stand
	requests []Request
	flights  [][]tap.Flight // of each request

	whole, bare times // by one client and by none, in turns
}

func (s *stand) subject(ctx context.Context, e endpoint) (*subject, error) {
	out := &subject{stand: s}
	for i := range variants {
		flights, err := s.record(ctx, e.request(s.facts, s.on[s.tapped], i))
		if err != nil {
			return nil, err
		}
		out.requests = append(out.requests, e.request(s.facts, s.on[s.site], i))
		out.flights = append(out.flights, flights)
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
	start := time.Now()
	answer, err := s.stand.site.Do(ctx, s.requests[i])
	if err != nil {
		return err
	}
	s.whole = append(s.whole, time.Since(start))
	if answer.Status >= http.StatusBadRequest {
		return fmt.Errorf("%s: status %d: %s", s.requests[i].Path, answer.Status, answer.text())
	}
	start = time.Now()
	if err := s.stand.replay.Run(ctx, s.flights[i]); err != nil {
		return err
	}
	s.bare = append(s.bare, time.Since(start))
	return nil
}

// alternate measures subjects in turns, so that whatever else the machine does falls on all of them alike.
func alternate(ctx context.Context, span time.Duration, subjects ...*subject) error {
	for i, end := 0, time.Now().Add(span); i < 2*variants || time.Now().Before(end); i++ {
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

// crowd has clients ask at once for a span.
func (s *subject) crowd(ctx context.Context, span time.Duration) load {
	var failed atomic.Int64
	all := make([]times, clients)
	start := time.Now()
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := c; i < c+2 || time.Since(start) < span; i++ {
				begun := time.Now()
				answer, err := s.stand.site.Do(ctx, s.requests[i%len(s.requests)])
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
