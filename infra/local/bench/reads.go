package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Goals for the median response time of an endpoint, as a multiple of its own SQL (maxOverSQL, maxWriteOverSQL) and of its
// own median on a tenth of the reports (growthFrom).
const (
	maxOverSQL      = 1.5
	maxWriteOverSQL = 2.0
)

// growthFrom is the size against which growth to another size is measured, and the goal.
func growthFrom(size int) (int, float64) {
	if size > 1_000_000 {
		return 1_000_000, 1.5
	}
	return 100_000, 2
}

// reads measures every frequent endpoint that changes nothing.
func reads(ctx context.Context, r *Run) error {
	large, err := r.newReadingTestbed(ctx, r.Size)
	if err != nil {
		return err
	}
	var small *testbed
	if from, _ := growthFrom(r.Size); r.Size > from {
		if small, err = r.newReadingTestbed(ctx, from); err != nil {
			return errors.Join(err, large.close())
		}
	}
	err = r.endpoints(ctx, fmt.Sprintf("Reads at %s reports, milliseconds", short(r.Size)), readEndpoints(), large, small)
	if small != nil {
		err = errors.Join(err, small.close())
	}
	return errors.Join(err, large.close())
}

// writes measures the endpoints that change something, on a copy.
func writes(ctx context.Context, r *Run) error {
	s, err := r.newTestbed(ctx, r.Size)
	if err != nil {
		return err
	}
	return errors.Join(r.endpoints(ctx, fmt.Sprintf("Writes at %s reports, milliseconds", short(s.database.Reports)), writeEndpoints(), s, nil), s.close())
}

// endpoints prints a row for each endpoint: its median beside that of its SQL, with 16 clients, and its growth since small.
func (r *Run) endpoints(ctx context.Context, title string, rows []endpoint, large, small *testbed) error {
	columns := []string{"endpoint", "trips", "plan", "SQL p50", "p50", "x SQL", "goal", "p99", "per s", "16: p50", "16: p99", "16: per s", "failed"}
	from, most := growthFrom(r.Size)
	if small != nil {
		columns = append(columns, "x "+short(from), "goal")
	}
	t := NewTable(title, columns...)
	t.Note("trips: round trips to the database / statements. SQL: the same statements alone, in the same round trips. 16: with 16 clients at once.")
	t.Note("floor: over the goal, but by less than the time of a request without any SQL (HTTP, gateway, client).")
	t.Note("Goals: at most %.1f x SQL (writes %.1f), at most %.1f x its own p50 at %s.", maxOverSQL, maxWriteOverSQL, most, short(from))
	for _, e := range rows {
		if r.Rows != nil && !r.Rows.MatchString(e.name) {
			continue
		}
		cells, err := r.endpoint(ctx, e, large, small)
		if err != nil && (ctx.Err() != nil || r.Brief) {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		if err != nil { // usually a statement that took too long; the other endpoints are still measured
			r.Goal(e.name+" fails", false)
			t.Note("%s: %v", e.name, err)
			continue
		}
		t.Row(cells...)
		fmt.Fprintln(r.Log, cells...)
	}
	r.Print(t)
	return nil
}

func (r *Run) endpoint(ctx context.Context, e endpoint, large, small *testbed) ([]any, error) {
	subjects := []*subject{}
	for _, s := range []*testbed{large, small} {
		if s == nil {
			continue
		}
		subject, err := s.subject(ctx, e, r.variants())
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, subject)
	}
	floor, err := large.subject(ctx, ping(), 1)
	if err != nil {
		return nil, err
	}
	if err := alternate(ctx, r.Span(), append(subjects, floor)...); err != nil {
		return nil, err
	}
	s := subjects[0]
	var concurrent load
	if s.whole.at(0.5) < slow/2 {
		concurrent = s.concurrently(ctx, r.clients(), r.Span())
	}
	statements := 0
	for _, roundTrip := range s.roundTrips[0] {
		statements += len(roundTrip)
	}
	plan, err := r.plan(ctx, e.name, s)
	if err != nil {
		return nil, err
	}
	limit := maxOverSQL
	if e.writes {
		limit = maxWriteOverSQL
	}
	p50, bare := s.whole.at(0.5), s.bare.at(0.5)
	ratio := float64(p50) / float64(max(bare, 1))
	cells := []any{e.name, fmt.Sprintf("%d/%d", len(s.roundTrips[0]), statements), plan, bare, p50, ratio, r.overSQL(e.name, p50, bare, floor.whole.at(0.5), limit), s.whole.at(0.99),
		perSecond(s.whole), concurrent.times.at(0.5), concurrent.times.at(0.99), fmt.Sprintf("%.0f", concurrent.perSecond), concurrent.failed}
	if concurrent.failed > 0 {
		r.Goal(e.name+" loses requests", false)
	}
	if len(subjects) > 1 {
		growth := float64(p50) / float64(subjects[1].whole.at(0.5))
		_, most := growthFrom(r.Size)
		cells = append(cells, growth, r.Goal(e.name+" grows", growth <= most))
	}
	return cells, nil
}

// overSQL compares a median with that of its SQL. If it is over the goal by less than a request without SQL takes (floor),
// it returns "floor", which is no failure: the SQL is so fast that the rest dominates. An endpoint without SQL has no goal.
func (r *Run) overSQL(name string, p50, bare, floor time.Duration, limit float64) string {
	if bare == 0 {
		return "no SQL"
	}
	most := time.Duration(limit * float64(bare))
	if p50 > most && p50-floor <= most {
		return "floor"
	}
	return r.Goal(name, p50 <= most)
}

// ping is an endpoint that sends no SQL.
func ping() endpoint {
	return endpoint{name: "ping", request: get(nobody, always("/"))}
}

func perSecond(t times) string {
	var sum float64
	for _, d := range t {
		sum += d.Seconds()
	}
	return fmt.Sprintf("%.0f", float64(len(t))/sum)
}
