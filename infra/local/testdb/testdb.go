// Package testdb gives each test its own database with all migrations, on a real PostgreSQL, in about 30 ms.
//
// The server is the one that TEST_DATABASE_URL names, with a superuser in the URL. Without that variable, all test
// processes of this account share one server: the first process starts it, and it ends 20 seconds after the last one. Its
// data is deleted then.
package testdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	setupTimeout = 10 * time.Minute // a machine without PostgreSQL installs it first
	dropTimeout  = 30 * time.Second
)

// server is the PostgreSQL server of this process.
type server struct {
	admin    *pgxpool.Pool // connections of the superuser to the database "postgres"
	url      *url.URL
	template string
}

// connect finds the server once; all tests of the process use it.
var connect = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	address := os.Getenv("TEST_DATABASE_URL")
	if address == "" {
		var err error
		if address, err = useSharedServer(ctx); err != nil {
			return nil, err
		}
	}
	return newServer(ctx, address)
})

func newServer(ctx context.Context, address string) (*server, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the address of the test database is not a URL")
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

// Create makes a new database with all migrations. It returns the address, whose user owns the database, and a function
// that drops the database even if connections are open. It is for examples, which have no testing.TB; tests use URL.
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

// As returns the address of the same database for another login.
func As(t testing.TB, address, login string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(login)
	return u.String()
}

// Connect opens a connection that ends with the test.
func Connect(t testing.TB, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// URL returns the address of a new database with all migrations. Its user owns the database. The database is dropped when
// the test ends, even if connections are open.
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

// EmptyURL is URL for a database without any schema.
func EmptyURL(t testing.TB) string {
	t.Helper()
	return fromTemplate(t, "template0")
}

// Copy is URL for a copy of the database at address. It ends the connections to that database.
func Copy(t testing.TB, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	s, err := connect()
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	name := strings.TrimPrefix(parsed.Path, "/")
	if _, err := s.admin.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, name); err != nil {
		t.Fatalf("test database: %v", err)
	}
	return fromTemplate(t, name)
}

func fromTemplate(t testing.TB, template string) string {
	t.Helper()
	s, err := connect()
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	name := "test_" + rand.Text()
	if _, err := s.admin.Exec(t.Context(), "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(template)); err != nil {
		t.Fatalf("test database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
		defer cancel()
		if _, err := s.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)"); err != nil {
			t.Errorf("test database: %v", err)
		}
	})
	return s.databaseURL(name)
}

// Pool returns connections to a new database in the role of the functions, so that a right that they lack is missing in
// the test too.
func Pool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return open(t, AppURL(URL(t)))
}

// OwnerPool returns connections to a new database in the role that owns it.
func OwnerPool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return open(t, URL(t))
}

// AppURL changes an address from URL: its connections get the role of the functions.
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

// lockTimeout is when AwaitLocked gives up.
const lockTimeout = 30 * time.Second

// AwaitLocked returns when n sessions of the database of db wait for a lock. With it a test that holds a lock waits until
// the others have come as far as that lock, on a machine of any speed. It fails the test after 30 seconds.
func AwaitLocked(t testing.TB, db *pgxpool.Pool, n int) {
	t.Helper()
	// pg_stat_activity shows the role of the application no waits of other roles; pg_locks shows all.
	const q = `SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE NOT l.granted AND a.datname = current_database()`
	waiting := 0
	for end := time.Now().Add(lockTimeout); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if err := db.QueryRow(t.Context(), q).Scan(&waiting); err != nil {
			t.Fatalf("count sessions that wait for a lock: %v", err)
		}
		if waiting >= n {
			return
		}
	}
	t.Fatalf("%d sessions wait for a lock, want %d", waiting, n)
}

// AtOnce calls the functions at the same time while a transaction holds what the statement locks, waits until each of them waits
// for a lock, and then commits the transaction. It returns when all functions have.
func AtOnce(t testing.TB, db *pgxpool.Pool, statement string, args []any, calls ...func()) {
	t.Helper()
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }() // if a call does not wait
	if _, err := tx.Exec(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, call := range calls {
		wg.Go(call)
	}
	AwaitLocked(t, db, len(calls))
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

// memory is a file system in memory on Linux. A database is created there ten times as fast as on a disk.
const memory = "/dev/shm"

// freeBytes is the space that a test run needs. Container engines make /dev/shm 64 MB large by default.
const freeBytes = 2 << 30

// SharedDir is the directory of the server that all test processes of this account share.
func SharedDir() string {
	return filepath.Join(BaseDir(), fmt.Sprintf("lafaekstreet-testdb-%d", os.Geteuid()))
}

// BaseDir is where test servers keep their data: in memory if there is enough free, else in the temporary directory.
func BaseDir() string {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(memory, &disk); err != nil || disk.Bavail*uint64(disk.Bsize) < freeBytes {
		return os.TempDir()
	}
	return memory
}
