package anchor_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/infra/local/hedera"
)

// BenchmarkAnchor measures the whole path of an event, from the queue to its
// confirmation: PostgreSQL, signature in KMS, node, receipt, mirror; on stand-ins
// that answer at once, so it is our own cost. One operation is one report's event.
func BenchmarkAnchor(b *testing.B) {
	for _, bc := range []struct {
		name string
		at   int // events that wait at once
	}{{"single", 20}, {"batched", 1000}} {
		b.Run(bc.name, func(b *testing.B) {
			s := setup(b, func(_ *hedera.Options, c *anchor.Config) { c.MaxBatch, c.Concurrency = 1000, 4 })
			b.StopTimer()
			for left := b.N; left > 0; left -= bc.at {
				s.queue.lose = true // the reports first, then the clock of the benchmark
				var reports []uuid.UUID
				for range min(left, bc.at) {
					reports = append(reports, s.report())
				}
				s.queue.lose = false
				for _, id := range scan[[]uuid.UUID](s, `SELECT array_agg(event_id) FROM ledger_anchors WHERE report_id = ANY($1)`, reports) {
					s.queue.put(letter{event: id, due: s.clock.Now()})
				}
				b.StartTimer()
				s.settle()
				b.StopTimer()
			}
			if n := scan[int](s, `SELECT count(*) FROM reports WHERE blockchain_status = 'confirmed'`); n != b.N {
				b.Fatalf("%d of %d reports confirmed", n, b.N)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(1000*float64(len(s.net.Messages()))/float64(b.N), "messages/1000")
		})
	}
}
