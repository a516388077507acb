package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/generate"
	"github.com/lafaekstreet/backend/infra/local/postgres"
)

// durableReports is how many reports there are in the database on which creating more of them is measured.
const durableReports = 1_000

// durable measures how many reports are created a second on a database that survives a power failure: fsync and
// synchronous_commit are on, and its files are on a disk. A commit that waits for the disk, and a network in between,
// are what makes clients wait for each other's report numbers.
func durable(ctx context.Context, r *Run) error {
	database, stop, err := r.durableDatabase(ctx)
	if err != nil {
		return err
	}
	t := NewTable("Creating reports on a durable database (fsync and synchronous_commit on), per second", "added", "1 client", fmt.Sprintf("%d clients", r.clients()))
	for _, c := range []struct {
		name              string
		roundTrip, commit time.Duration
	}{{"nothing", 0, 0}, {"1 ms to a round trip", time.Millisecond, 0}, {"2 ms to a commit", 0, 2 * time.Millisecond}} {
		if err := slowCommits(ctx, database.URL, c.commit); err != nil {
			return errors.Join(err, stop())
		}
		row := []any{c.name}
		for _, clients := range []int{1, r.clients()} {
			perSecond, err := r.createReports(ctx, database, c.roundTrip, clients)
			if err != nil {
				return errors.Join(err, stop())
			}
			row = append(row, perSecond)
		}
		t.Row(row...)
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

// durableDatabase is a generated database, and what ends its server. The server of Options.Server is taken as it is.
func (r *Run) durableDatabase(ctx context.Context) (Database, func() error, error) {
	s := &store{options: r.Options, server: r.Server, own: r.store.own}
	if s.server == "" {
		binaries, err := postgres.FindBinaries(ctx, filepath.Join(r.Dir, "..", "pg"), r.Log)
		if err != nil {
			return Database{}, nil, err
		}
		s.cluster, err = postgres.Start(ctx, postgres.Options{Dir: filepath.Join(r.Dir, "durable"), Binaries: binaries, Connections: 100, Durable: true})
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

// createReports has clients create reports for a while and returns how many they created a second.
func (r *Run) createReports(ctx context.Context, d Database, added time.Duration, clients int) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	address := d.URL
	if added > 0 {
		var err error
		if address, err = delayed(ctx, d.URL, added); err != nil {
			return 0, err
		}
	}
	site, err := NewSite(ctx, address)
	if err != nil {
		return 0, err
	}
	defer site.Close()
	tokens := make([]string, clients)
	for i := range tokens {
		if tokens[i], err = site.SignIn(ctx, generate.CitizenEmail(i)); err != nil {
			return 0, err
		}
	}
	counts := make([]int, clients)
	var all errgroup.Group
	began := time.Now()
	for i, token := range tokens {
		all.Go(func() error {
			for counts[i] == 0 || time.Since(began) < 3*r.Span() {
				if err := createReport(ctx, site, token); err != nil {
					return err
				}
				counts[i]++
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return 0, err
	}
	n := 0
	for _, c := range counts {
		n += c
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

func createReport(ctx context.Context, site *Site, token string) error {
	answer, err := site.client.Do(ctx, apiclient.Request{Method: http.MethodPost, Path: "/reports", Token: token,
		Body: map[string]any{"client_id": uuid.New(), "issue_type": "pothole", "title": "Kuak iha estrada", "description": "Motorbikes fall here.",
			"latitude": -8.5569, "longitude": 125.5603, "municipality": "Dili"},
		Header: http.Header{"Idempotency-Key": {uuid.NewString()}}})
	if err != nil {
		return err
	}
	if answer.Status != http.StatusCreated {
		return fmt.Errorf("create report: status %d: %s", answer.Status, excerpt(answer))
	}
	return nil
}
