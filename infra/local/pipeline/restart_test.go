package pipeline_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/eventsource"
	"github.com/lafaekstreet/backend/infra/local/postgres"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/migrations"
	"github.com/lafaekstreet/backend/shared/config"
)

// TestPostgreSQLCrashesLoseNoReport kills a real server three times, as a crash does (immediate mode, with recovery at the
// next start), while all workers run and citizens create reports. A report whose creation was answered must exist. A retry
// must create the others, once. Everything must end as usual.
func TestPostgreSQLCrashesLoseNoReport(t *testing.T) {
	t.Parallel()
	const reports, crashes = 24, 3
	server := startServer(t)
	s := server.system()
	work, stop := context.WithCancel(t.Context())
	var tasks sync.WaitGroup
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
	var created, refused atomic.Int32
	uploads := make([]uuid.UUID, reports)
	for n := range uploads {
		var picture []byte
		uploads[n], picture = s.photo(n)
		s.put(uploads[n], picture)
	}
	var citizens sync.WaitGroup
	queue := make(chan uuid.UUID)
	for range 3 {
		citizens.Go(func() {
			for upload := range queue {
				for {
					status, err := s.post(upload)
					if err == nil && status == http.StatusCreated {
						created.Add(1)
						break
					}
					if status == http.StatusConflict { // the request that the crash interrupted counts as running for 40 s
						_, err = s.owner.Exec(work, `UPDATE idempotency_keys SET locked_until = locked_until - interval '40 seconds' WHERE key = $1 AND status IS NULL`, upload.String())
						if err != nil {
							continue // the next crash
						}
						status = http.StatusServiceUnavailable
					}
					if err != nil || status < 500 {
						t.Errorf("POST /reports: %d, %v", status, err)
						return
					}
					refused.Add(1)
					pause(work, 50*time.Millisecond)
				}
			}
		})
	}
	for n, upload := range uploads {
		if n > 0 && n%(reports/(crashes+1)) == 0 {
			server.crash(time.Duration(n) * 10 * time.Millisecond)
		}
		queue <- upload
	}
	close(queue)
	citizens.Wait()
	stop()
	tasks.Wait()
	s.settle()
	if n := int(created.Load()); n != reports {
		t.Errorf("%d reports created, want %d", n, reports)
	}
	s.finishedAll(reports)
	s.everybodyTold(2*reports, true)
	s.anchored()
	if dead := s.dead(); dead != "" {
		t.Errorf("dead letters: %s", dead)
	}
	t.Logf("%d reports, %d crashes, %d answers of 5xx before their retry, %s", reports, crashes, refused.Load(), s.told())
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// server is a PostgreSQL of one test, behind a proxy. It has another port after each start.
type server struct {
	t       *testing.T
	options postgres.Options
	cluster *postgres.Cluster
	proxy   *proxy
}

func startServer(t *testing.T) *server {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	binaries, err := postgres.FindBinaries(t.Context(), filepath.Join(root, "../../../.run/pg"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(testdb.BaseDir(), "lafaekstreet-restart-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	// A durable server keeps what was committed before a crash.
	r := &server{t: t, options: postgres.Options{Dir: filepath.Join(dir, "cluster"), Binaries: binaries, Durable: true}}
	r.start()
	t.Cleanup(func() { _ = r.cluster.Stop() })
	return r
}

func (r *server) start() {
	r.t.Helper()
	var err error
	if r.cluster, err = postgres.Start(r.t.Context(), r.options); err != nil {
		r.t.Fatal(err)
	}
}

func (r *server) host() string {
	address, err := url.Parse(r.cluster.URL("postgres"))
	if err != nil {
		r.t.Fatal(err)
	}
	return address.Host
}

// system runs the pipeline on the server.
func (r *server) system(change ...func(config.Env)) *system {
	r.t.Helper()
	conn, err := pgx.Connect(r.t.Context(), r.cluster.URL("postgres"))
	if err != nil {
		r.t.Fatal(err)
	}
	_, err = conn.Exec(r.t.Context(), `CREATE DATABASE lafaekstreet`)
	if err := errors.Join(err, conn.Close(r.t.Context()), migrations.Apply(r.t.Context(), r.cluster.URL("lafaekstreet"))); err != nil {
		r.t.Fatal(err)
	}
	r.proxy = listen(r.t, r.host())
	address := strings.Replace(r.cluster.URL("lafaekstreet"), r.host(), r.proxy.listener.Addr().String(), 1)
	return setupOn(r.t, address, testdb.AppURL(address), change...)
}

// crash stops the server in immediate mode and starts it again after the time away.
func (r *server) crash(away time.Duration) {
	r.t.Helper()
	raw, err := os.ReadFile(filepath.Join(r.options.Dir, "data", "postmaster.pid"))
	if err != nil {
		r.t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		r.t.Fatal(err)
	}
	<-r.cluster.Done()
	time.Sleep(away)
	r.start()
	r.proxy.redirect(r.host())
}
