package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/dbproxy"
)

// planned is from how many reports on reading all of them is never the best plan.
const planned = 30_000

// scanned names the tables that the roundTrips' plans read from one end to the other.
func (s *stand) scanned(ctx context.Context, roundTrips []dbproxy.RoundTrip) ([]string, error) {
	plans, err := s.replay.Explain(ctx, roundTrips)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, text := range plans {
		var roots []struct{ Plan node }
		if err := json.Unmarshal([]byte(text), &roots); err != nil {
			return nil, fmt.Errorf("read plan: %w", err)
		}
		for _, root := range roots {
			out = root.Plan.scans(out)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// node is one of a plan.
type node struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Plans    []node
}

func (n node) scans(into []string) []string {
	if n.Type == "Seq Scan" {
		into = append(into, n.Relation)
	}
	for _, child := range n.Plans {
		into = child.scans(into)
	}
	return into
}

// plan is a cell: "index" unless a plan reads all reports.
func (r *Run) plan(ctx context.Context, name string, s *subject) (string, error) {
	all, err := s.stand.scanned(ctx, s.roundTrips[0])
	if err != nil {
		return "", err
	}
	if !slices.Contains(all, "reports") {
		return "index", nil
	}
	if r.Size >= planned {
		r.Goal(name+" reads all reports", false)
	}
	return "ALL READ", nil
}

// scanning names every reading endpoint of which any variant reads all reports, with the tables it reads so.
func (r *Run) scanning(ctx context.Context) ([]string, error) {
	s, err := r.newStand(ctx, r.Size)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range readEndpoints() {
		asked := map[string]bool{}
		for i := range 8 {
			path := e.request(s.facts, s.on[s.proxied], i).Path
			if asked[path] {
				continue
			}
			asked[path] = true
			roundTrips, err := s.record(ctx, func() apiclient.Request { return e.request(s.facts, s.on[s.proxied], i) })
			if err != nil {
				return nil, errors.Join(err, s.close())
			}
			all, err := s.scanned(ctx, roundTrips)
			if err != nil {
				return nil, errors.Join(err, s.close())
			}
			if slices.Contains(all, "reports") {
				out = append(out, e.name+": "+path)
			}
		}
	}
	return out, s.close()
}
