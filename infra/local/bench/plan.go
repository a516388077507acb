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

// minPlanned is the number of reports from which a sequential scan of reports is never the best plan.
const minPlanned = 30_000

// scanned returns the tables of which the plans of these round trips make a sequential scan.
func (s *testbed) scanned(ctx context.Context, roundTrips []dbproxy.RoundTrip) ([]string, error) {
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

// node is a node of a plan.
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

// plan returns a cell of the table: "ALL READ" if a plan makes a sequential scan of reports, else "index".
func (r *Run) plan(ctx context.Context, name string, s *subject) (string, error) {
	all, err := s.testbed.scanned(ctx, s.roundTrips[0])
	if err != nil {
		return "", err
	}
	if !slices.Contains(all, "reports") {
		return "index", nil
	}
	if r.Size >= minPlanned {
		r.Goal(name+" reads all reports", false)
	}
	return "ALL READ", nil
}

// scanning returns the reading endpoints, with the path, of which a variant makes a sequential scan of reports.
func (r *Run) scanning(ctx context.Context) ([]string, error) {
	s, err := r.newReadingTestbed(ctx, r.Size)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range readEndpoints() {
		asked := map[string]bool{}
		for i := range 8 {
			path := e.request(s.samples, s.tokens[s.proxied], i).Path
			if asked[path] {
				continue
			}
			asked[path] = true
			roundTrips, err := s.record(ctx, func() apiclient.Request { return e.request(s.samples, s.tokens[s.proxied], i) })
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
