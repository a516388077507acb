package pipeline_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/answers"
	"github.com/lafaekstreet/backend/infra/local/cache"
	"github.com/lafaekstreet/backend/infra/local/eventsource"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/gateway"
	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/infra/local/simulation"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/queue"
)

// TestOutagesDuringConcurrentWritesLoseNothing has several users write at once while one part after another fails, each after a fixed number of accepted
// writes. Afterwards every accepted write exists exactly once, with everything that follows from it. It is a short form
// of make chaos.
func TestOutagesDuringConcurrentWritesLoseNothing(t *testing.T) {
	t.Parallel()
	const clients = 6
	s := newStorm(t)
	people := s.people(clients)
	var last int
	outages := s.outages()
	for at := range outages {
		last = max(last, at)
	}
	var accepted atomic.Int64
	begin, begun := make(chan func()), make(chan bool)
	var one sync.Mutex
	people.OnAccepted(func(n int) {
		accepted.Add(1)
		if outage := outages[n]; outage != nil {
			one.Lock()
			defer one.Unlock()
			begin <- outage
			<-begun
		}
	})
	work, stop := context.WithCancel(t.Context())
	var tasks, citizens sync.WaitGroup
	for name, handler := range s.handlers {
		source := eventsource.Mapping{Queue: s.urls[name], Handler: handler, Batch: 5, Concurrency: 2, Timeout: 20 * time.Second}
		tasks.Go(func() { source.Run(work, s.sqs, slog.New(slog.DiscardHandler)) })
	}
	tasks.Go(func() {
		for work.Err() == nil {
			s.sweep()
			pause(work, 100*time.Millisecond)
		}
	})
	for i := range clients {
		random := rand.New(rand.NewPCG(20261127, uint64(i)))
		citizens.Go(func() {
			for accepted.Load() < int64(last)+20 && t.Context().Err() == nil {
				people.Write(t.Context(), i, random)
			}
		})
	}
	go func() { citizens.Wait(); close(begin) }()
	for outage := range begin {
		outage()
		begun <- true
	}
	stop()
	tasks.Wait()
	s.settle()
	if left := s.faults.Pending(); len(left) > 0 {
		t.Errorf("these faults were never taken: %v", left)
	}
	s.reconcile(people)
}

// storm is a system whose database, cache and workers can be stopped.
type storm struct {
	*system
	server     *server
	cache      *cache.Server
	cacheProxy *proxy
	proxies    map[queue.Name]*proxy // of workers to their database
}

func newStorm(t *testing.T) *storm {
	t.Helper()
	s := &storm{server: startServer(t), proxies: map[queue.Name]*proxy{}}
	var err error
	if s.cache, err = cache.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cache.Stop() })
	s.cacheProxy = listen(t, hostOf(t, s.cache.URL()))
	s.system = s.server.system(func(env config.Env) {
		env["CACHE_URL"] = "redis://" + s.cacheProxy.listener.Addr().String() + "/0"
		env["NOMINATIM_URL"] = "" // it would allow one lookup a second
		for _, limit := range []string{"USER_PER_MINUTE", "USER_BURST", "ADDRESS_PER_MINUTE", "CREATE_PER_HOUR", "SYNC_PER_HOUR", "UPLOAD_PER_HOUR", "COMMENT_PER_HOUR", "FLAG_PER_HOUR", "IMPORT_PER_HOUR", "VERIFY_PER_MINUTE"} {
			env["RATE_LIMIT_"+limit] = "1000000" // rate limits are not tested here
		}
	})
	for _, name := range []queue.Name{queue.Anchor, queue.Notify, queue.Validate} {
		s.proxies[name] = listen(t, hostOf(t, s.env["DATABASE_URL"]))
		env := maps.Clone(s.env)
		address, err := url.Parse(env["DATABASE_URL"])
		s.must(err)
		address.Host = s.proxies[name].listener.Addr().String()
		env["DATABASE_URL"] = address.String()
		s.handlers[name], err = workers()[name](t.Context(), env)
		s.must(err)
	}
	return s
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// people are citizens and an administrator, behind a gateway with the functions they use.
func (s *storm) people(citizens int) *simulation.Simulation {
	s.Helper()
	reporting, err := reports.Open(s.Context(), s.env)
	s.must(err)
	comments, err := community.Open(s.Context(), s.env)
	s.must(err)
	riding, err := journeys.Open(s.Context(), s.env)
	s.must(err)
	alerts, err := notifications.Open(s.Context(), s.env)
	s.must(err)
	router, err := gateway.New(slog.New(slog.DiscardHandler), answers.Checked(s, reporting), answers.Checked(s, comments), answers.Checked(s, riding), answers.Checked(s, alerts))
	s.must(err)
	mux := http.NewServeMux()
	mux.Handle("/", router)
	mux.HandleFunc("/_local/queues", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(s.cloud.SQS.Overview(0)) })
	front := httptest.NewServer(mux)
	s.Cleanup(front.Close)
	admin := s.signer.SignIn(s.owner, identity.Admin)
	all := make([]simulation.Person, citizens)
	for i := range all {
		all[i] = person(s.signer.SignIn(s.owner, identity.Citizen))
	}
	c := simulation.New(front.URL, person(admin), all, 1)
	c.SetTimeout(10 * time.Minute) // response times are not tested here
	s.must(c.AddAlerts(s.Context()))
	return c
}

func person(p identitytest.Person) simulation.Person {
	return simulation.Person{ID: p.ID.String(), Token: p.Token}
}

// outages maps the number of accepted writes to the outage that begins then. An outage ends after its number of failures,
// or with a later entry.
func (s *storm) outages() map[int]func() {
	failing := func(service, operation string, mode faults.Mode, times int) func() {
		return func() {
			s.must(s.faults.Add(faults.Fault{Service: service, Operation: operation, Mode: mode, Count: times}))
		}
	}
	return map[int]func(){
		15:  failing("bedrock", "Converse", faults.Error, 8),
		25:  failing("sqs", "SendMessageBatch", faults.Error, 45),
		35:  s.crash,
		50:  func() { s.cacheProxy.redirect(""); s.cacheProxy.closeAll() },
		60:  failing("hedera", "SubmitMessage", faults.DropReply, 4),
		70:  func() { s.proxies[queue.Anchor].cutAt(9) },
		80:  failing("sqs", "SendMessageBatch", faults.DropReply, 4),
		90:  func() { s.cacheProxy.redirect(hostOf(s.server.t, s.cache.URL())) },
		100: func() { s.proxies[queue.Anchor].restore() },
		105: s.cut,
		110: func() { s.proxies[queue.Notify].cutAt(12) },
		115: failing("mirror", "topic_message", faults.Error, 4),
		120: failing("s3", "PutObject", faults.Throttle, 4),
		130: func() { s.proxies[queue.Notify].restore(); s.proxies[queue.Validate].cutAt(7) },
		140: failing("kms", "Sign", faults.Throttle, 4),
		145: failing("smtp", "DATA", faults.DropReply, 3),
		150: s.crash,
		160: func() { s.proxies[queue.Validate].restore() },
		170: failing("hedera", "GetTransactionReceipts", faults.Error, 4),
		180: s.cut,
		190: failing("smtp", "DATA", faults.Error, 4),
		200: failing("bedrock", "Converse", faults.DropReply, 3),
	}
}

// crash kills PostgreSQL and starts it again. Requests that it interrupted count as running for 40 s; crash ends that time.
func (s *storm) crash() {
	s.server.crash(50 * time.Millisecond)
	const over = `UPDATE idempotency_keys SET locked_until = locked_until - interval '40 seconds' WHERE status IS NULL`
	for s.Context().Err() == nil {
		if _, err := s.owner.Exec(s.Context(), over); err == nil { // it fails on a connection from before the crash
			return
		}
	}
}

// reconcile compares the accepted writes with the system.
func (s *storm) reconcile(people *simulation.Simulation) {
	s.Helper()
	a, err := simulation.NewReconciliation(s.Context(), s.env, people, s.Output())
	s.must(err)
	defer a.Close()
	a.Mails = func() (int, error) { return len(s.mails.Mails("")), nil }
	pending, err := a.Pending(s.Context())
	s.must(err)
	if pending != "" {
		a.AddDifference("still pending: %s", pending)
	}
	same, err := a.Reconcile(s.Context())
	s.must(err)
	if !same {
		s.Error("accepted writes and the system differ")
	}
}
