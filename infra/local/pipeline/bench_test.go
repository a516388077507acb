package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/eventsource"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/start"
)

// BenchmarkPipeline measures reports from POST to the judgement of the AI, the confirmation of their three ledger events,
// and their mails and push messages. Their pictures are small, so that this is the cost of all but decoding and encoding.
func BenchmarkPipeline(b *testing.B) { measurePipeline(b, small) }

// BenchmarkPhonePipeline is BenchmarkPipeline with pictures as phones take them.
func BenchmarkPhonePipeline(b *testing.B) { measurePipeline(b, phone) }

func measurePipeline(b *testing.B, size float64) {
	m := newMeasured(b, 8)
	pictures := make([][]byte, min(b.N, int(scenes/size)))
	for n := range pictures {
		pictures[n] = sceneOf(m.system, n, size)
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

// newMeasured starts a system, its workers, and relay each ten seconds: in AWS each minute, for which a run would wait at its end. The
// connections of the functions are open and their statements are prepared when it returns: the warmReports are finished. The garbage
// collector is set as in Lambda.
func newMeasured(b *testing.B, people int) *measured {
	b.Helper()
	before := debug.SetGCPercent(start.GCPercent)
	b.Cleanup(func() { debug.SetGCPercent(before) })
	s := setup(b, func(env config.Env) {
		env["NOMINATIM_URL"] = ""  // it would allow one lookup a second
		delete(env, "RELAY_GRACE") // as deployed: functions have time to send their messages themselves
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
	for _, q := range catalog.Queues() {
		if s.handlers[q.Name] == nil {
			continue
		}
		source := eventsource.Mapping{Queue: s.urls[q.Name], Handler: s.handlers[q.Name], Batch: q.Batch, Timeout: 25 * time.Second, Window: q.Window,
			Concurrency: min(q.Concurrency, runtime.NumCPU())} // in Lambda each call has a processor of its own
		tasks.Go(func() { source.Run(work, s.sqs, slog.New(slog.DiscardHandler)) })
	}
	tasks.Go(func() {
		for round := 0; work.Err() == nil; round++ {
			s.sweep()
			if round%6 == 0 {
				s.vacuum()
			}
			pause(work, 10*time.Second)
		}
	})
	m.stop = func() {
		stop()
		tasks.Wait()
	}
	for n := range warmReports {
		_, err := m.report(m.people[n%people], sceneOf(s, -1-n, small), place(warmPlaces+n))
		s.must(err)
	}
	m.await(time.Minute)
	s.vacuum()
	return m
}

// vacuum takes the place of autovacuum, which is off in tests and by default looks once a minute. Without statistics plans read whole tables; without a vacuum the outbox, whose rows
// live for milliseconds, grows.
func (s *system) vacuum() {
	_, _ = s.owner.Exec(s.Context(), `VACUUM ANALYZE`)
}

// report sends a picture and creates a report with it. It returns how long POST /reports took, and an error if anything of it failed.
func (m *measured) report(p sender, picture []byte, at point) (time.Duration, error) {
	upload, err := m.tryUpload(p.id, picture)
	if err == nil {
		err = m.tryPut(upload, picture)
	}
	if err != nil {
		return 0, err
	}
	began := time.Now()
	status, err := m.postAs(p.api, upload, at)
	took := time.Since(began)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("POST /reports: status %d", status)
	}
	return took, err
}

// warmReports is how many reports are finished before anything is measured: enough for statistics by which plans use indexes, and for the
// statements of all connections to have a plan for all values.
const warmReports = 320

// scenes is how many different small pictures are sent, in turn. One that was sent before is compared with all reports that have it.
const scenes = 250

// warmPlaces are places that no measured report has.
const warmPlaces = 30_000

// place is one of many, so far apart that reports there are no duplicates.
func place(n int) point { return point{-8.8 + 0.001*float64(n%400), 125.2 + 0.001*float64(n/400)} }

// await waits until all work is done.
func (m *measured) await(limit time.Duration) {
	m.Helper()
	for began := time.Now(); ; pause(m.Context(), 200*time.Millisecond) {
		left := m.left()
		if left == "" {
			return
		}
		if time.Since(began) > limit {
			m.Fatalf("not done after %s:%s", limit, left)
		}
	}
}

// sceneOf is a picture as phones take them: areas of one tone that pass into each other, and a little noise. Scenes of different seeds do not look alike.
func sceneOf(s *system, seed int, size float64) []byte {
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	var tones [9][9][3]float64
	for i := range tones {
		for j := range tones[i] {
			for c := range 3 {
				tones[i][j][c] = 40 + 180*random.Float64()
			}
		}
	}
	img := image.NewRGBA(image.Rect(0, 0, int(320*size), int(240*size)))
	for v := range img.Rect.Dy() {
		y := 8 * float64(v) / float64(img.Rect.Dy())
		for u := range img.Rect.Dx() {
			x := 8 * float64(u) / float64(img.Rect.Dx())
			i, j, p, q := int(y), int(x), y-math.Floor(y), x-math.Floor(x)
			noise := float64(random.Uint32() % 8)
			at := img.Pix[img.PixOffset(u, v):]
			for c := range 3 {
				top := tones[i][j][c]*(1-q) + tones[i][j+1][c]*q
				bottom := tones[i+1][j][c]*(1-q) + tones[i+1][j+1][c]*q
				at[c] = uint8(top*(1-p) + bottom*p + noise)
			}
			at[3] = 255
		}
	}
	var b bytes.Buffer
	s.must(jpeg.Encode(&b, img, nil))
	return b.Bytes()
}
