package anchor_test

import (
	"testing"
	"time"
)

// BenchmarkAnchor measures a round: publishing, the checkpoint's signature, the message and its confirmation, the reports'
// state; on stand-ins that answer at once, so it is our own cost. One operation is one report's event.
func BenchmarkAnchor(b *testing.B) {
	s := setup(b)
	b.StopTimer()
	for left := b.N; left > 0; left -= 1000 {
		for range min(left, 1000) { // the reports first, then the clock of the benchmark
			s.bare()
		}
		s.clock.Advance(10 * time.Second)
		b.StartTimer()
		s.settle()
		b.StopTimer()
	}
	s.checkAnchored()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(1000*float64(len(s.net.Messages()))/float64(b.N), "messages/1000")
}
