// Package testdb gives each test a database of its own on a real PostgreSQL, fully migrated, in about 30 ms.
//
// The server is the one TEST_DATABASE_URL names (as a superuser), else one shared by all test processes of this
// account: the first starts it, and it ends by itself soon after the last is gone. It forgets everything with that.
package testdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	setupTimeout = 10 * time.Minute // a machine without PostgreSQL installs it first
	dropTimeout  = 30 * time.Second
)

// server is where this process makes its databases.
type server struct {
	admin    *pgxpool.Pool // to the maintenance database, as the superuser
	url      *url.URL
	template string
}

// connect is called once a process; all its tests share the server.
var connect = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	address := os.Getenv("TEST_DATABASE_URL")
	if address == "" {
		var err error
		if address, err = join(ctx); err != nil {
			return nil, err
		}
	}
	return newServer(ctx, address)
})

func newServer(ctx context.Context, address string) (*server, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the address of the test database is no URL")
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("read address of the test database: %w", err)
	}
	config.MaxConns = 4
	admin, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open test database: %w", err)
	}
	s := &server{admin: admin, url: parsed}
	if s.template, err = s.ensureTemplate(ctx); err != nil {
		admin.Close()
		return nil, err
	}
	return s, nil
}

// Create makes a fresh database with every migration applied and returns its address, as the role that owns it, and a
// function that drops it with whatever connections it still has. Tests use URL; this is for examples, which have no
// testing.TB.
func Create(ctx context.Context) (string, func() error, error) {
	s, err := connect()
	if err != nil {
		return "", nil, err
	}
	name := "test_" + rand.Text()
	create := "CREATE DATABASE " + quote(name) + " TEMPLATE " + quote(s.template) + " STRATEGY FILE_COPY"
	if _, err := s.admin.Exec(ctx, create); err != nil {
		return "", nil, fmt.Errorf("create: %w", err)
	}
	drop := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
		defer cancel()
		if _, err := s.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)"); err != nil {
			return fmt.Errorf("drop: %w", err)
		}
		return nil
	}
	return s.databaseURL(name), drop, nil
}

// URL returns the address of a fresh database with every migration applied, as the role that owns it. The database
// is dropped when the test ends, with whatever connections it still has.
func URL(t testing.TB) string {
	t.Helper()
	address, drop, err := Create(t.Context())
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Errorf("test database: %v", err)
		}
	})
	return address
}

// Pool returns connections to a fresh database in the role the functions work under, so that a right they lack is
// missing in the test too.
func Pool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return open(t, AppURL(URL(t)))
}

// OwnerPool returns connections to a fresh database in the role that owns it.
func OwnerPool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return open(t, URL(t))
}

// AppURL returns address, as from URL, with the role changed to the functions' own.
func AppURL(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return address
	}
	query := parsed.Query()
	query.Set("role", "lafaek_app")
	parsed.RawQuery = query.Encode()
	return parsed.String()
}

func open(t testing.TB, address string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	config.MaxConns = 10
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatalf("test database: open: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func (s *server) databaseURL(name string) string {
	address := *s.url
	address.Path = "/" + name
	return address.String()
}

func quote(name string) string {
	return pgx.Identifier{name}.Sanitize()
}
