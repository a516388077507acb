package system_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/missing"
	"github.com/lafaekstreet/backend/infra/local/pgbouncer"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/migrations"
)

// pooled is a database behind PgBouncer in transaction mode.
type pooled struct {
	*testing.T
	direct string // address of the owner, without the pooler
	owner  string // address of the owner
	login  string // address of a login without rights
}

func newPooled(t *testing.T) *pooled {
	t.Helper()
	program, found := pgbouncer.Find()
	if !found {
		missing.Program(t, "no PgBouncer on this machine: the system behind a pooler is not tested")
	}
	p := &pooled{T: t, direct: testdb.EmptyURL(t)}
	address, err := url.Parse(p.direct)
	if err != nil {
		t.Fatal(err)
	}
	login := "login_" + strings.ToLower(rand.Text())
	p.exec("CREATE ROLE " + login + " LOGIN NOINHERIT")
	t.Cleanup(func() { p.exec("DROP ROLE " + login) })
	pooler, err := pgbouncer.Start(t.Context(), program, p.direct, address.User.Username(), login)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pooler.Stop(); err != nil {
			t.Error(err)
		}
	})
	database := strings.TrimPrefix(address.Path, "/")
	p.owner, p.login = pooler.URL(address.User.Username(), database), pooler.URL(login, database)
	return p
}

// exec runs a statement as the owner, without the pooler.
func (p *pooled) exec(sql string) {
	p.Helper()
	ctx := context.WithoutCancel(p.Context())
	conn, err := pgx.Connect(ctx, p.direct)
	if err == nil {
		_, err = conn.Exec(ctx, sql)
		_ = conn.Close(ctx)
	}
	if err != nil {
		p.Errorf("%s: %v", sql, err)
	}
}

// busy has clients of the owner send transactions through the pooler until the function that it returns is called.
func (p *pooled) busy() func() {
	p.Helper()
	pool, err := pgxpool.New(p.Context(), p.owner+"&default_query_exec_mode=exec")
	if err != nil {
		p.Fatal(err)
	}
	ctx, cancel := context.WithCancel(p.Context())
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				_, _ = pool.Exec(ctx, `SELECT 1`)
				time.Sleep(time.Millisecond)
			}
		})
	}
	return func() {
		cancel()
		clients.Wait()
		pool.Close()
	}
}

// Migrations go through a transaction pooler that others use too, by several processes at once and again, and leave no lock behind.
func TestMigrationsBehindATransactionPooler(t *testing.T) {
	t.Parallel()
	p := newPooled(t)
	stop := p.busy()
	defer stop()
	var processes sync.WaitGroup
	for range 2 {
		processes.Go(func() {
			if err := migrations.Apply(t.Context(), p.owner); err != nil {
				t.Error(err)
			}
		})
	}
	processes.Wait()
	if err := migrations.Apply(t.Context(), p.owner); err != nil {
		t.Errorf("with nothing to do: %v", err)
	}
	conn, err := pgx.Connect(t.Context(), p.direct)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	const left = `SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE l.locktype = 'advisory' AND d.datname = current_database()`
	var locks int
	if err := conn.QueryRow(t.Context(), left).Scan(&locks); err != nil || locks != 0 {
		t.Errorf("%d locks are left, %v", locks, err)
	}
}

// The whole story of a report works behind a transaction pooler: an account, the picture, the report, the workers, the ledger and
// the proof. The functions sign in with a login that owns nothing.
func TestTheSystemBehindATransactionPooler(t *testing.T) {
	t.Parallel()
	p := newPooled(t)
	o := options(t, t.TempDir())
	o.Env["DATABASE_URL"], o.Env["DATABASE_OWNER_URL"], o.Env["DATABASE_EXEC_MODE"] = p.login, p.direct, "exec"
	s := start(t, o)
	demo := exec.CommandContext(t.Context(), "go", "run", "../demo", "-url", s.URL(), "-patience", "1m")
	demo.Env = os.Environ()
	if out, err := demo.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	conn, err := pgx.Connect(t.Context(), p.direct)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var logins string
	const who = `SELECT string_agg(DISTINCT usename::text, ',') FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
	if err := conn.QueryRow(t.Context(), who).Scan(&logins); err != nil || !strings.HasPrefix(logins, "login_") || strings.Contains(logins, ",") {
		t.Errorf("the system works as %q, %v", logins, err)
	}
}
