package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/dbproxy"
	"github.com/lafaekstreet/backend/infra/local/generate"
)

// testbed is what an endpoint is measured on: a database and the system on it (site). proxied is the same system behind a
// proxy that records its statements. replay is a connection that repeats these statements without the system.
type testbed struct {
	store         *store
	database      Database
	site, proxied *Site
	proxy         *dbproxy.Proxy
	replay        *dbproxy.Replay
	renewer       dbproxy.Renewer
	samples       *samples
	tokens        map[*Site]people
	owner         *pgx.Conn // of a role that may do everything
}

// people are the access tokens of three callers.
type people struct{ citizen, moderator, official string }

// newTestbed opens a testbed on a copy, newReadingTestbed on a generated database itself.
func (r *Run) newTestbed(ctx context.Context, size int) (*testbed, error) {
	database, err := r.Database(ctx, size)
	if err != nil {
		return nil, err
	}
	return r.openTestbed(ctx, database)
}

func (r *Run) newReadingTestbed(ctx context.Context, size int) (*testbed, error) {
	database, err := r.generated(ctx, size)
	if err != nil {
		return nil, err
	}
	return r.openTestbed(ctx, database)
}

func (r *Run) openTestbed(ctx context.Context, database Database) (*testbed, error) {
	s := &testbed{store: r.store, database: database, tokens: map[*Site]people{}}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *testbed) open(ctx context.Context) error {
	var err error
	if s.proxy, err = dbproxy.Start(ctx, s.database.URL); err != nil {
		return err
	}
	if s.site, err = NewSite(ctx, s.database.URL); err != nil {
		return err
	}
	if s.proxied, err = NewSite(ctx, s.proxy.URL()); err != nil {
		return err
	}
	if s.replay, err = dbproxy.NewReplay(ctx, s.database.AppURL()); err != nil {
		return err
	}
	for _, site := range []*Site{s.site, s.proxied} {
		var p people
		for email, token := range map[string]*string{generate.CitizenEmail(0): &p.citizen, generate.ModeratorEmail: &p.moderator, generate.OfficialEmail: &p.official} {
			if *token, err = site.SignIn(ctx, email); err != nil {
				return err
			}
		}
		s.tokens[site] = p
	}
	if s.owner, err = pgx.Connect(ctx, s.database.URL); err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	if !s.database.kept {
		const deletable = `SET session_replication_role = replica; ALTER TABLE ledger_events DISABLE TRIGGER ledger_events_append_only`
		if _, err := s.owner.Exec(ctx, deletable); err != nil { // for forget
			return fmt.Errorf("let events be deleted: %w", err)
		}
	}
	s.samples, err = s.loadSamples(ctx, s.owner)
	return err
}

// place names an event: its report and its number in the report's chain.
type place struct {
	report uuid.UUID
	seq    int
}

// newestEvent is the event that the last write has made.
func (s *testbed) newestEvent(ctx context.Context) (place, error) {
	var p place
	err := s.owner.QueryRow(ctx, `SELECT report_id, seq FROM ledger_events WHERE report_id IS NOT NULL ORDER BY log_index DESC LIMIT 1`).Scan(&p.report, &p.seq)
	return p, err
}

// forget deletes an event and its salt, so that the statement that made them can run again. Nothing else can: an event of a
// report has one number.
func (s *testbed) forget(ctx context.Context, p place) error {
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM ledger_events WHERE report_id = $1 AND seq = $2`, p.report, p.seq)
	batch.Queue(`DELETE FROM report_salts WHERE report_id = $1 AND seq = $2`, p.report, p.seq)
	return s.owner.SendBatch(ctx, batch).Close()
}

// close also releases the database, which closes the connections of the functions. All parts together would have more
// connections than the server allows.
func (s *testbed) close() error {
	for _, site := range []*Site{s.site, s.proxied} {
		if site != nil {
			site.Close()
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var failed error
	if s.replay != nil {
		failed = s.replay.Close(ctx)
	}
	if s.owner != nil {
		failed = errors.Join(failed, s.owner.Close(ctx))
	}
	return errors.Join(failed, s.store.release(ctx, s.database))
}

// record sends a request through the proxy and returns its round trips. It sends two, because the first prepares
// statements and fills caches; request makes a new one each time.
func (s *testbed) record(ctx context.Context, request func() apiclient.Request) ([]dbproxy.RoundTrip, error) {
	for range 2 {
		s.proxy.Take()
		r := request()
		answer, err := s.proxied.client.Do(ctx, r)
		if err != nil {
			return nil, err
		}
		if answer.Status >= http.StatusBadRequest {
			return nil, fmt.Errorf("%s: status %d: %s", r.Path, answer.Status, excerpt(answer))
		}
	}
	roundTrips := s.proxy.Take()
	return roundTrips, s.replay.Prepare(ctx, roundTrips)
}
