package system

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/migrate"
	"github.com/lafaekstreet/backend/infra/local/cache"
	"github.com/lafaekstreet/backend/infra/local/postgres"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
)

const (
	databaseName = "lafaekstreet"
	connections  = 200 // of the private cluster; every function keeps a few
)

// startDatabase runs a private PostgreSQL unless DATABASE_URL names one.
func (s *System) startDatabase(ctx context.Context) error {
	s.set("DATABASE_MAX_CONNS", "5")
	if s.env["DATABASE_URL"] != "" {
		if s.env["DATABASE_OWNER_URL"] == "" { // else migrate gives role and limit to the login
			s.set("DATABASE_ROLE", "lafaek_app")
			s.set("DATABASE_STATEMENT_TIMEOUT", "20s")
		}
		s.runs("database", "DATABASE_URL")
		return nil
	}
	binaries, err := postgres.FindBinaries(ctx, s.dir("pg"), s.options.Out)
	if err != nil {
		return err
	}
	cluster, err := postgres.Start(ctx, postgres.Options{
		Dir: s.dir("postgres"), Binaries: binaries, Durable: true, Connections: connections})
	if err != nil {
		return err
	}
	s.onStop("PostgreSQL", cluster.Stop)
	if err := createDatabase(ctx, cluster.URL("postgres")); err != nil {
		return err
	}
	address := cluster.URL(databaseName)
	s.set("DATABASE_URL", address)
	s.logins = true
	s.set("DATABASE_LOGINS", strings.Join(logins(), ","))
	s.runs("database", address)
	go func() {
		<-cluster.Done()
		s.fail(errors.New("PostgreSQL ended by itself; see " + s.dir("postgres/postgres.log")))
	}()
	return nil
}

func createDatabase(ctx context.Context, url string) error {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var exists bool
	const find = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
	if err := conn.QueryRow(ctx, find, databaseName).Scan(&exists); err != nil {
		return fmt.Errorf("look for the database: %w", err)
	}
	if exists {
		return nil
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+databaseName); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	return nil
}

// migrate brings the database up to date, as a deploy does. A database that is older than the published log is served:
// make log-recover needs the running system.
func (s *System) migrate(ctx context.Context) error {
	m, err := migrate.New(s.env)
	if err != nil {
		return err
	}
	err = m.Run(ctx)
	if errors.Is(err, migrate.ErrHalted) {
		s.runs("log", err.Error())
		return nil
	}
	if err != nil {
		if s.options.Env["DATABASE_URL"] != "" {
			return fmt.Errorf("DATABASE_URL names a database that cannot be used (PostgreSQL 15+ with postgis, vector, "+
				"pg_trgm and citext is needed): %w", err)
		}
		return err
	}
	return nil
}

// startCache runs a cache unless CACHE_URL names one.
func (s *System) startCache(ctx context.Context) error {
	if s.env["CACHE_URL"] != "" {
		s.runs("cache", "CACHE_URL")
		return nil
	}
	server, err := cache.Start(ctx)
	if err != nil {
		return err
	}
	s.onStop("cache", server.Stop)
	s.set("CACHE_URL", server.URL())
	s.runs("cache", server.URL()+" ("+server.Name+")")
	return nil
}

// loginOf is the login of a function in a database that this machine runs. It is the deployed one; see infra/data.go.
func loginOf(name catalog.FunctionName) string { return "lafaek_" + string(name) }

// logins are those of all functions but the ones of a deploy.
func logins() []string {
	var out []string
	for _, f := range catalog.Functions() {
		if f.Kind != catalog.Deploy {
			out = append(out, loginOf(f.Name))
		}
	}
	return out
}

// envOf is the configuration of one function: in a database that this machine runs it signs in with its own login.
func (s *System) envOf(name catalog.FunctionName) (config.Env, error) {
	if !s.logins {
		return s.env, nil
	}
	address, err := url.Parse(s.env["DATABASE_URL"])
	if err != nil {
		return nil, fmt.Errorf("read the address of the database: %w", err)
	}
	address.User = url.User(loginOf(name))
	return s.env.With("DATABASE_URL", address.String()), nil
}
