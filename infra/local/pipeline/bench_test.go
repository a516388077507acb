package pipeline_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/eventsource"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/identity"
)

// BenchmarkPipeline measures reports from POST to the judgement of the AI, the confirmation of their three ledger events,
// and their mails and push messages. Their pictures are small, so that this is the cost of all but decoding and encoding.
func BenchmarkPipeline(b *testing.B) { measurePipeline(b, small) }

// BenchmarkPhonePipeline is BenchmarkPipeline with pictures as phones take them.
func BenchmarkPhonePipeline(b *testing.B) { measurePipeline(b, phone) }

func measurePipeline(b *testing.B, size float64) {
	m := newMeasured(b, 8)
	pictures := make([][]byte, min(b.N, 20))
	for n := range pictures {
		pictures[n] = pictureOf(m.system, n, size)
	}
	var citizens sync.WaitGroup
	b.ResetTimer()
	for first, p := range m.people {
		citizens.Go(func() {
			for n := first; n < b.N; n += len(m.people) {
				if _, err := m.report(p, pictures[n%len(pictures)], place(n)); err != nil {
					m.Error(err)
				}
			}
		})
	}
	citizens.Wait()
	m.await(time.Minute + time.Duration(b.N)*time.Second)
	b.StopTimer()
	m.stop()
	for number, end := range m.ends() {
		if end != finished {
			b.Fatalf("%s: %s", number, end)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reports/s")
	b.ReportMetric(1000*float64(len(m.net.Messages()))/float64(b.N), "messages/1000")
}

// measured is a system whose workers run all the time, as in make run. Stand-ins answer at once, so what is measured is our
// own code and PostgreSQL.
type measured struct {
	*system
	people []sender
	stop   func()
}

// sender is a person who creates reports.
type sender struct {
	id  uuid.UUID
	api apiclient.Client
}

// newMeasured starts a system, its workers, and relay each second. The connections of the functions are open and their statements are
// prepared when it returns: a report of each person is finished.
func newMeasured(b *testing.B, people int) *measured {
	b.Helper()
	s := setup(b, func(env config.Env) {
		env["NOMINATIM_URL"] = "" // it would allow one lookup a second
		env["RATE_LIMIT_USER_PER_MINUTE"], env["RATE_LIMIT_USER_BURST"] = "1000000", "1000000"
	})
	s.town = "Dili" // without a municipality, alerts wait for the geocoder
	_, err := s.owner.Exec(b.Context(), `INSERT INTO app_settings (key, value) VALUES ('settings', '{"ai_daily_pictures": 0, "ai_daily_pictures_person": 0}')`)
	s.must(err)
	m := &measured{system: s}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	for range people {
		p := s.signer.SignIn(s.owner, identity.Citizen)
		m.people = append(m.people, sender{p.ID, apiclient.Client{URL: s.api.URL, Token: p.Token, HTTP: client}})
	}
	work, stop := context.WithCancel(b.Context())
	var tasks sync.WaitGroup
	for name, handler := range s.handlers {
		source := eventsource.Mapping{Queue: s.urls[name], Handler: handler, Batch: 10, Concurrency: 2, Timeout: 25 * time.Second}
		tasks.Go(func() { source.Run(work, s.sqs, slog.New(slog.DiscardHandler)) })
	}
	tasks.Go(func() {
		for second := 0; work.Err() == nil; second++ {
			s.sweep() // in AWS each minute
			if second%20 == 0 {
				s.analyze()
			}
			pause(work, time.Second)
		}
	})
	m.stop = func() {
		stop()
		tasks.Wait()
	}
	for n, p := range m.people {
		_, err := m.report(p, pictureOf(s, n, small), place(warmPlaces+n))
		s.must(err)
	}
	m.await(time.Minute)
	s.analyze()
	return m
}

// analyze takes the place of autovacuum, which is off in tests. Without statistics plans read all reports.
func (s *system) analyze() {
	_, _ = s.owner.Exec(s.Context(), `ANALYZE reports, report_images, report_embeddings, uploads, ledger_events, notifications, notification_deliveries`)
}

// report sends a picture and creates a report with it. It returns how long POST /reports took, and an error if it was refused.
func (m *measured) report(p sender, picture []byte, at point) (time.Duration, error) {
	upload := m.system.upload(p.id, picture)
	m.put(upload, picture)
	began := time.Now()
	status, err := m.postAs(p.api, upload, at)
	took := time.Since(began)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("POST /reports: status %d", status)
	}
	return took, err
}

// warmPlaces are places that no measured report has.
const warmPlaces = 30_000

// place is one of many, so far apart that reports there are no duplicates.
func place(n int) point { return point{-8.8 + 0.001*float64(n%400), 125.2 + 0.001*float64(n/400)} }

// await waits until all work is done.
func (m *measured) await(limit time.Duration) {
	m.Helper()
	for began := time.Now(); ; pause(m.Context(), 20*time.Millisecond) {
		left := m.left()
		if left == "" {
			return
		}
		if time.Since(began) > limit {
			m.Fatalf("not done after %s:%s", limit, left)
		}
	}
}
