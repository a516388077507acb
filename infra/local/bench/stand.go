package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/dbproxy"
	"github.com/lafaekstreet/backend/infra/local/generate"
)

// stand is what an endpoint is measured on: one database, the system on it, the same system by way of a tap that
// writes down what it asks of the database, and a connection to ask the same without the system.
type stand struct {
	store        *store
	database     Database
	site, tapped *Site
	tap          *dbproxy.Tap
	replay       *dbproxy.Replay
	renewer      dbproxy.Renewer
	facts        *facts
	on           map[*Site]people
}

// people are the tokens of those who ask.
type people struct{ citizen, moderator, official string }

func (r *Run) newStand(ctx context.Context, size int) (*stand, error) {
	database, err := r.Database(ctx, size)
	if err != nil {
		return nil, err
	}
	s := &stand{store: r.store, database: database, on: map[*Site]people{}}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stand) open(ctx context.Context) error {
	var err error
	if s.tap, err = dbproxy.Start(ctx, s.database.URL); err != nil {
		return err
	}
	if s.site, err = NewSite(ctx, s.database.URL); err != nil {
		return err
	}
	if s.tapped, err = NewSite(ctx, s.tap.URL()); err != nil {
		return err
	}
	if s.replay, err = dbproxy.NewReplay(ctx, s.database.AppURL()); err != nil {
		return err
	}
	for _, site := range []*Site{s.site, s.tapped} {
		var p people
		for email, token := range map[string]*string{generate.CitizenEmail(0): &p.citizen, generate.ModeratorEmail: &p.moderator, generate.OfficialEmail: &p.official} {
			if *token, err = site.SignIn(ctx, email); err != nil {
				return err
			}
		}
		s.on[site] = p
	}
	conn, err := pgx.Connect(ctx, s.database.URL)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	s.facts, err = s.learn(ctx, conn)
	return errors.Join(err, conn.Close(ctx))
}

// close also drops the database, and so ends the connections that functions keep for their next request: together
// those of all parts would be more than the server gives.
func (s *stand) close() error {
	for _, site := range []*Site{s.site, s.tapped} {
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
	return errors.Join(failed, s.store.drop(ctx, s.database))
}

// record does a request by way of the tap and returns what it asked of the database. A request that writes is made
// anew each time.
func (s *stand) record(ctx context.Context, request func() apiclient.Request) ([]dbproxy.Flight, error) {
	for range 2 { // the first time statements are still prepared and what hardly changes is read
		s.tap.Take()
		r := request()
		answer, err := s.tapped.client.Do(ctx, r)
		if err != nil {
			return nil, err
		}
		if answer.Status >= http.StatusBadRequest {
			return nil, fmt.Errorf("%s: status %d: %s", r.Path, answer.Status, excerpt(answer))
		}
	}
	flights := s.tap.Take()
	return flights, s.replay.Prepare(ctx, flights)
}
