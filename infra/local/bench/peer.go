package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/bench/peer"
	"github.com/lafaekstreet/backend/infra/local/generate"
)

// rounds is how often each side has its turn.
func (r *Run) rounds() int {
	if r.Brief {
		return 1
	}
	return 5
}

// compared are the endpoints that the peer has too, by their names, and how many times its requests a second are the goal.
// Signing in has no goal: both sides compute Argon2.
func compared() map[string]float64 {
	return map[string]float64{"list, first page": 5, "list, status and type": 5, "list, deep cursor": 5, "report": 4, "nearby, 1 km": 3,
		"create a report": 3, "sign in": 0}
}

// side is one of the two systems that are compared.
type side struct {
	client apiclient.Client
	tokens []string // of as many people as there are clients
}

// comparison is both sides on one database.
type comparison struct {
	run          *Run
	testbed      *testbed
	ours, theirs side
}

// besidePeer measures how many requests a second the system and its peer answer, in turns. It fails if their answers differ.
func besidePeer(ctx context.Context, r *Run) error {
	packages := filepath.Join(r.Dir, "..", "peer")
	if err := peer.Install(ctx, packages, r.Log); err != nil {
		if errors.Is(err, errors.ErrUnsupported) && len(r.Only) == 0 {
			fmt.Fprintf(r.Out, "\nThe peer is left out: %v.\n", err)
			return nil
		}
		return err
	}
	s, err := r.newTestbed(ctx, r.Size)
	if err != nil {
		return err
	}
	server, err := peer.Start(ctx, packages, s.database.URL, bucket)
	if err != nil {
		return errors.Join(err, s.close())
	}
	c := &comparison{run: r, testbed: s}
	err = c.open(ctx, server.URL)
	if err == nil {
		err = c.sameAnswers(ctx)
	}
	if err == nil {
		err = c.measure(ctx)
	}
	return errors.Join(err, server.Stop(), s.close())
}

func (c *comparison) open(ctx context.Context, address string) error {
	for into, url := range map[*side]string{&c.ours: c.testbed.site.URL, &c.theirs: address} {
		client := c.testbed.site.client
		client.URL, client.Header = url, client.Header.Clone()
		client.Header.Set("Accept-Language", "en")
		into.client = client
		for i := range c.run.clients() {
			token, err := (&Site{client: client}).SignIn(ctx, generate.CitizenEmail(i))
			if err != nil {
				return err
			}
			into.tokens = append(into.tokens, token)
		}
	}
	return nil
}

// measure prints a row for each endpoint.
func (c *comparison) measure(ctx context.Context) error {
	t := NewTable(fmt.Sprintf("Beside FastAPI, Pydantic and async SQLAlchemy at %s reports, %d clients", short(c.testbed.database.Reports), c.run.clients()),
		"endpoint", "per s", "peer: per s", "factor", "lowest", "highest", "CPU ms", "peer: CPU ms", "CPU factor", "goal", "")
	t.Note("Medians of %d rounds. Both sides have the same processors, database and client, and as many connections.", c.run.rounds())
	t.Note("CPU: processor time of a request in client, server and PostgreSQL together. Other work on the machine changes it less.")
	for _, e := range slices.Concat(readEndpoints(), writeEndpoints()) {
		least, ok := compared()[e.name]
		if !ok || c.run.Rows != nil && !c.run.Rows.MatchString(e.name) {
			continue
		}
		ours, theirs, err := c.rounds(ctx, e)
		if err != nil && (ctx.Err() != nil || c.run.Brief) {
			return err
		}
		if err != nil { // usually a busy machine; the other endpoints are still measured
			c.run.Goal(e.name+" fails beside the peer", false)
			t.Note("%v", err)
			continue
		}
		var factors []float64
		for i := range ours {
			factors = append(factors, ours[i].perSecond/theirs[i].perSecond)
		}
		goal, what := "", "none"
		if least > 0 {
			goal, what = c.run.Goal(e.name+" beside the peer", median(factors) >= least), fmt.Sprintf("%.0f", least)
		}
		cells := []any{e.name, ours.perSecond(), theirs.perSecond(), median(factors), slices.Min(factors), slices.Max(factors),
			ours.processor(), theirs.processor(), theirs.processor() / ours.processor(), what, goal}
		t.Row(cells...)
		fmt.Fprintln(c.run.Log, cells...)
	}
	c.run.Print(t)
	return nil
}

// rounds has both sides take turns. The first round fills caches and does not count.
func (c *comparison) rounds(ctx context.Context, e endpoint) (turns, turns, error) {
	var ours, theirs turns
	for round := range c.run.rounds() + 1 {
		mine, err := c.turn(ctx, &c.ours, e)
		if err != nil {
			return nil, nil, err
		}
		other, err := c.turn(ctx, &c.theirs, e)
		if err != nil {
			return nil, nil, fmt.Errorf("peer: %w", err)
		}
		if round > 0 {
			ours, theirs = append(ours, mine), append(theirs, other)
		}
	}
	return ours, theirs, nil
}

// turn is what one side did in one round.
type turn struct {
	perSecond float64
	processor float64 // milliseconds of processor time for each request
}

type turns []turn

func (t turns) perSecond() float64 { return t.median(func(one turn) float64 { return one.perSecond }) }
func (t turns) processor() float64 { return t.median(func(one turn) float64 { return one.processor }) }

func (t turns) median(of func(turn) float64) float64 {
	var values []float64
	for _, one := range t {
		values = append(values, of(one))
	}
	return median(values)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// turn has all clients of a side send requests for a while. Each is another person, and each sends at least one.
func (c *comparison) turn(ctx context.Context, s *side, e endpoint) (turn, error) {
	var all errgroup.Group
	var sent atomic.Int64
	began, before := time.Now(), processorTime()
	for _, token := range s.tokens {
		all.Go(func() error {
			for first := true; first || time.Since(began) < 2*c.run.Span(); first = false {
				request := e.request(c.testbed.samples, people{citizen: token}, int(sent.Add(1)))
				answer, err := s.client.Do(ctx, request)
				if err != nil {
					return err
				}
				if answer.Status >= http.StatusBadRequest {
					return fmt.Errorf("%s: status %d: %s", request.Path, answer.Status, excerpt(answer))
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return turn{}, fmt.Errorf("%s: %w", e.name, err)
	}
	n, used := float64(sent.Load()), processorTime()-before
	return turn{n / time.Since(began).Seconds(), float64(used.Microseconds()) / 1000 / n}, nil
}
