package pipeline_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/eventsource"
	"github.com/lafaekstreet/backend/shared/config"
)

// BenchmarkPipeline measures reports from POST to the judgement of the AI, the confirmation of their three ledger events,
// and their mails and push messages. All workers run at the same time, as in make run. Stand-ins answer at once, so it
// measures our own code only.
func BenchmarkPipeline(b *testing.B) {
	s := setup(b, func(env config.Env) {
		env["NOMINATIM_URL"] = "" // it would allow one lookup a second
		env["RATE_LIMIT_USER_PER_MINUTE"], env["RATE_LIMIT_USER_BURST"] = "1000000", "1000000"
	})
	s.spacing = 0.001
	uploads := make([]uuid.UUID, b.N)
	for n := range uploads {
		var picture []byte
		uploads[n], picture = s.photo(n)
		s.put(uploads[n], picture)
	}
	work, stop := context.WithCancel(b.Context())
	var tasks, citizens sync.WaitGroup
	b.ResetTimer()
	for name, handler := range s.handlers {
		source := eventsource.Mapping{Queue: s.urls[name], Handler: handler, Batch: 10, Concurrency: 2, Timeout: 25 * time.Second}
		tasks.Go(func() { source.Run(work, s.sqs, slog.New(slog.DiscardHandler)) })
	}
	queue := make(chan uuid.UUID)
	for range 4 {
		citizens.Go(func() {
			for upload := range queue {
				s.create(upload)
			}
		})
	}
	for _, upload := range uploads {
		queue <- upload
	}
	close(queue)
	citizens.Wait()
	for last := time.Now(); s.left() != ""; pause(work, 20*time.Millisecond) {
		if time.Since(last) > time.Second { // in AWS relay runs each minute
			s.sweep()
			last = time.Now()
		}
	}
	b.StopTimer()
	stop()
	tasks.Wait()
	for number, end := range s.ends() {
		if end != finished {
			b.Fatalf("%s: %s", number, end)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reports/s")
	b.ReportMetric(1000*float64(len(s.net.Messages()))/float64(b.N), "messages/1000")
}
