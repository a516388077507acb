package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/dbproxy"
	"github.com/lafaekstreet/backend/infra/local/generate"
	"github.com/lafaekstreet/backend/infra/local/postgres"
	"github.com/lafaekstreet/backend/shared/config"
)

// durableReports is how many reports there are in the database on which creating more of them is measured. They have 100 authors, so
// that each of 64 clients is another person.
const durableReports = 2_000

// durable measures how many reports are created a second on a database that survives a power failure: fsync and
// synchronous_commit are on, and its files are on a disk. A commit that waits for the disk, and a network in between,
// are what makes clients wait for each other's report numbers.
func durable(ctx context.Context, r *Run) error {
	database, stop, err := r.durableDatabase(ctx)
	if err != nil {
		return err
	}
	t := NewTable("Creating reports on a durable database (fsync and synchronous_commit on)", "added", "clients", "per s", "its SQL per s", "p50", "p99", "failed", "goal")
	t.Note("Each client has a connection. Its SQL: the same statements alone, by as many clients. Goals: no failure; %d clients create at least as many a second as one.", r.clients())
	for _, c := range []struct {
		name              string
		roundTrip, commit time.Duration
	}{{"nothing", 0, 0}, {"1 ms to a round trip", time.Millisecond, 0}, {"2 ms to a commit", 0, 2 * time.Millisecond}} {
		if err := slowCommits(ctx, database.URL, c.commit); err != nil {
			return errors.Join(err, stop())
		}
		alone := 0.0
		for _, clients := range []int{1, r.clients(), 4 * r.clients()} {
			whole, bare, err := r.createReports(ctx, database, c.roundTrip, clients)
			err = errors.Join(err, endConnections(ctx, database.URL))
			if err != nil {
				return errors.Join(err, stop())
			}
			if clients == 1 {
				alone = whole.perSecond
			}
			met := whole.failed == 0 && (clients != r.clients() || whole.perSecond >= alone)
			cells := []any{c.name, clients, round(whole.perSecond), round(bare), whole.times.at(0.5), whole.times.at(0.99), whole.failed,
				r.Goal(fmt.Sprintf("%d clients create reports, %s added", clients, c.name), met)}
			t.Row(cells...)
			fmt.Fprintln(r.Log, cells...)
		}
	}
	r.Print(t)
	return stop()
}

// slowCommits makes each commit of new connections wait before it writes to the disk, as a slower disk or a replica would. The
// rows that the transaction has locked stay locked meanwhile.
func slowCommits(ctx context.Context, address string, wait time.Duration) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	name := pgx.Identifier{conn.Config().Database}.Sanitize()
	for _, setting := range []string{fmt.Sprintf("commit_delay = %d", wait.Microseconds()), "commit_siblings = 0"} {
		if _, err := conn.Exec(ctx, "ALTER DATABASE "+name+" SET "+setting); err != nil {
			return fmt.Errorf("slow commits: %w", err)
		}
	}
	return nil
}

// endConnections ends all connections to the database at address. A site's functions keep theirs until the process ends.
func endConnections(ctx context.Context, address string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	return err
}

// durableDatabase is a generated database, and what ends its server. The server of Options.Server is taken as it is.
func (r *Run) durableDatabase(ctx context.Context) (Database, func() error, error) {
	s := &store{options: r.Options, server: r.Server, own: r.store.own}
	if s.server == "" {
		binaries, err := postgres.FindBinaries(ctx, filepath.Join(r.Dir, "..", "pg"), r.Log)
		if err != nil {
			return Database{}, nil, err
		}
		s.cluster, err = postgres.Start(ctx, postgres.Options{Dir: filepath.Join(r.Dir, "durable"), Binaries: binaries, Connections: 250, Durable: true})
		if err != nil {
			return Database{}, nil, err
		}
		s.server = s.cluster.URL("postgres")
	}
	out, err := (&Run{Options: r.Options, store: s}).Database(ctx, durableReports)
	if err != nil {
		return Database{}, nil, errors.Join(err, s.close())
	}
	return out, s.close, nil
}

// createReports has clients create reports for a while. It also returns how many transactions a second their statements alone make.
func (r *Run) createReports(ctx context.Context, d Database, added time.Duration, clients int) (load, float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	address := d.URL
	if added > 0 {
		var err error
		if address, err = delayed(ctx, d.URL, added); err != nil {
			return load{}, 0, err
		}
	}
	site, err := NewSite(ctx, address, connections(clients))
	if err != nil {
		return load{}, 0, err
	}
	defer site.Close()
	tokens := make([]string, clients)
	for i := range tokens {
		if tokens[i], err = site.SignIn(ctx, generate.CitizenEmail(i)); err != nil {
			return load{}, 0, err
		}
	}
	out, err := r.together(clients, func(i int) error { return createReport(ctx, site, tokens[i]) })
	if err != nil {
		return load{}, 0, err
	}
	bare, err := r.replayCreates(ctx, d, address, clients)
	return out, bare, err
}

func connections(n int) func(config.Env) {
	return func(env config.Env) { env["DATABASE_MAX_CONNS"] = strconv.Itoa(n) }
}

// warmCalls is how often a client calls before it is measured: PostgreSQL plans a prepared statement anew in its first five executions.
const warmCalls = 6

// together has clients call f for a while, each at least once after its warmCalls, which are not counted. A call that fails ends what its client
// does, and counts as failed.
func (r *Run) together(clients int, f func(client int) error) (load, error) {
	all := make([]times, clients)
	var failed atomic.Int64
	var warm, work errgroup.Group
	for c := range clients {
		warm.Go(func() error {
			for range warmCalls {
				if err := f(c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := warm.Wait(); err != nil {
		return load{}, err
	}
	start := time.Now()
	for c := range clients {
		work.Go(func() error {
			for len(all[c]) == 0 || time.Since(start) < 3*r.Span() {
				begun := time.Now()
				if err := f(c); err != nil {
					failed.Add(1)
					fmt.Fprintln(r.Log, err)
					return nil
				}
				all[c] = append(all[c], time.Since(begun))
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return load{}, err
	}
	out := load{times: slices.Concat(all...), failed: failed.Load()}
	out.perSecond = float64(len(out.times)) / time.Since(start).Seconds()
	return out, nil
}

// replayCreates has clients send the statements of creating a report alone, and returns how many transactions a second they make.
func (r *Run) replayCreates(ctx context.Context, d Database, address string, clients int) (float64, error) {
	proxy, err := dbproxy.Start(ctx, d.URL)
	if err != nil {
		return 0, err
	}
	site, err := NewSite(ctx, proxy.URL())
	if err != nil {
		return 0, err
	}
	defer site.Close()
	since := time.Now()
	recorded := make([][]dbproxy.RoundTrip, clients)
	for i := range recorded {
		token, err := site.SignIn(ctx, generate.CitizenEmail(i))
		if err != nil {
			return 0, err
		}
		for range 2 { // the first prepares statements
			proxy.Take()
			if err := createReport(ctx, site, token); err != nil {
				return 0, err
			}
		}
		recorded[i] = proxy.Take()
	}
	app := withQuery(address, "role", "lafaek_app")
	replays := make([]*dbproxy.Replay, clients)
	for i := range replays {
		if replays[i], err = dbproxy.NewReplay(ctx, app); err != nil {
			return 0, err
		}
		defer replays[i].Close(ctx)
		if err := replays[i].Prepare(ctx, recorded[i]); err != nil {
			return 0, err
		}
	}
	var renewer dbproxy.Renewer
	out, err := r.together(clients, func(i int) error { return replays[i].Run(ctx, renewer.Renew(recorded[i], since)) })
	if out.failed > 0 {
		return 0, errors.New("statements of creating a report cannot be sent again; see the log")
	}
	return out.perSecond, err
}

func createReport(ctx context.Context, site *Site, token string) error {
	id := uuid.Must(uuid.NewV7()) // dbproxy replaces it
	answer, err := site.client.Do(ctx, apiclient.Request{Method: http.MethodPost, Path: "/reports", Token: token,
		Body: map[string]any{"client_id": id, "issue_type": "pothole", "title": "Kuak iha estrada", "description": "Motorbikes fall here.",
			"latitude": -8.5569, "longitude": 125.5603, "municipality": "Dili"},
		Header: http.Header{"Idempotency-Key": {uuid.Must(uuid.NewV7()).String()}}})
	if err != nil {
		return err
	}
	if answer.Status != http.StatusCreated {
		return fmt.Errorf("create report: status %d: %s", answer.Status, excerpt(answer))
	}
	return nil
}
