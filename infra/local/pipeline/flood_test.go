package pipeline_test

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"
)

// A flood brings 20,000 reports in ten minutes. Half of them are about few places.
const (
	floodRate   = 20_000.0 / 600 // reports a second
	floodPlaces = 20
)

// BenchmarkFlood sends reports at a fixed rate, even when the system does not keep up. It measures the response times and failures
// of POST /reports. It measures how long the workers need after the last report. And it counts the reports about one place that are
// linked to another report as a possible duplicate.
func BenchmarkFlood(b *testing.B) {
	m := newMeasured(b, 64)
	pictures := make([][]byte, floodPlaces)
	for n := range pictures {
		pictures[n] = sceneOf(m.system, n, small)
	}
	took, failures := make([]time.Duration, b.N), make([]error, b.N)
	var requests sync.WaitGroup
	b.ResetTimer()
	for n := range b.N {
		pause(b.Context(), time.Duration(float64(n)/floodRate*float64(time.Second))-b.Elapsed())
		requests.Go(func() {
			at := place(n / 2 % floodPlaces)
			if n%2 == 1 {
				at = place(floodPlaces + n)
			}
			took[n], failures[n] = m.report(m.people[n%len(m.people)], pictures[n/2%floodPlaces], at)
		})
	}
	requests.Wait()
	sent := b.Elapsed()
	m.await(time.Minute + time.Duration(b.N)*time.Second)
	b.StopTimer()
	m.stop()
	if dead := m.dead(); dead != "" {
		b.Errorf("dead letters: %s", dead)
	}
	slices.Sort(took)
	quantile := func(q float64) float64 { return 1000 * took[min(int(q*float64(b.N)), b.N-1)].Seconds() }
	failures = slices.DeleteFunc(failures, func(err error) bool { return err == nil })
	if len(failures) > 0 { // b.Error would end the benchmark without figures
		b.Logf("the first of %d failures: %v", len(failures), failures[0])
	}
	b.ReportMetric(float64(b.N)/sent.Seconds(), "sent/s")
	b.ReportMetric(quantile(0.5), "p50-ms")
	b.ReportMetric(quantile(0.99), "p99-ms")
	b.ReportMetric(float64(len(failures)), "failed")
	b.ReportMetric((b.Elapsed() - sent).Seconds(), "catch-up-s")
	b.ReportMetric(m.duplicatesFound(), "duplicates-%")
}

// duplicatesFound is how many of the reports that have another at the same place are candidates of one another, in percent.
func (m *measured) duplicatesFound() float64 {
	m.Helper()
	const q = `
		WITH shared AS (SELECT id FROM (SELECT id, count(*) OVER (PARTITION BY latitude, longitude) AS n FROM reports) r WHERE n > 1)
		SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT FROM duplicate_candidates c WHERE shared.id IN (c.report_id, c.candidate_id))) FROM shared`
	var all, found float64
	m.must(m.owner.QueryRow(m.Context(), q).Scan(&all, &found))
	return math.Round(100 * found / max(all, 1))
}
