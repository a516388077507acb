package preflight

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// dialTimeout bounds connecting to a database or a mail server. A database that sleeps needs up to 25 s.
	dialTimeout = 40 * time.Second
	// oldestServer is PostgreSQL 15.
	oldestServer = 150000
	appRole      = "lafaek_app"
)

// extensions are those that the migrations make.
var extensions = []string{"postgis", "vector", "pg_trgm", "citext"}

// database checks the PostgreSQL of the external profile.
func (c *checks) database(ctx context.Context, values map[string]string) {
	if c.Managed {
		return
	}
	functions, ok := c.address(databaseSecret, values[databaseSecret])
	owner := functions
	if c.MigrationSecret != "" {
		var whole bool
		owner, whole = c.address(migrationSecret, values[migrationSecret])
		ok = ok && whole
	}
	if !ok {
		return
	}
	c.pooler(functions)
	conn := c.connect(ctx, owner, migrationOr(c.MigrationSecret))
	if conn == nil {
		return
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if !c.server(ctx, conn) {
		return
	}
	c.rights(ctx, conn)
	if c.MigrationSecret != "" {
		c.login(ctx, conn, functions)
	}
}

func migrationOr(secret string) string {
	if secret != "" {
		return migrationSecret
	}
	return databaseSecret
}

// address reads the address in a secret, for use on this machine. A file of certificates of a function becomes the one here.
func (c *checks) address(setting, raw string) (*pgx.ConnConfig, bool) {
	if raw == "" {
		return nil, false // the secret has a finding
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Hostname() == "" || u.User == nil || len(u.Path) < 2 {
		c.fail("database", "%s: it is not %s; percent-encode the password", setting, shapes[setting])
		return nil, false
	}
	q := u.Query()
	if file := q.Get("sslrootcert"); file != "" {
		if file != c.FunctionCA || c.CAFile == "" {
			c.fail("database", `%s: functions have no file %s: name the certificates in "database_ca", and write sslrootcert=%s`, setting, file, c.FunctionCA)
			return nil, false
		}
		q.Set("sslrootcert", c.CAFile)
		u.RawQuery = q.Encode()
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
		switch q.Get("sslmode") {
		case "verify-full", "verify-ca":
		case "require":
			c.warn("database", "%s: sslmode=require encrypts, but does not verify the server: use verify-full", setting)
		default:
			c.fail("database", "%s: passwords and reports would travel unencrypted: add sslmode=verify-full, or at least sslmode=require", setting)
			return nil, false
		}
	}
	cfg, err := pgx.ParseConfig(u.String())
	if err != nil {
		c.fail("database", "%s: it is not an address that the driver understands", setting) // err may have the password
		return nil, false
	}
	cfg.ConnectTimeout = dialTimeout
	cfg.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // every pooler takes it
	return cfg, true
}

// pooler warns of a transaction pooler that is not set up as one. Its port or name shows it.
func (c *checks) pooler(functions *pgx.ConnConfig) {
	if functions.Port != 6543 && functions.Port != 6432 && !strings.Contains(functions.Host, "-pooler") {
		return
	}
	if c.DatabaseMode != "exec" && c.DatabaseMode != "simple_protocol" {
		c.warn("database", `%s looks like a pooler: set "database_exec_mode": "exec"`, functions.Host)
	}
	if c.MigrationSecret == "" {
		c.warn("database", "%s looks like a pooler: migrations need a direct address, in a secret named by migration_secret", functions.Host)
	}
}

func (c *checks) connect(ctx context.Context, cfg *pgx.ConnConfig, setting string) *pgx.Conn {
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		c.fail("database", "%s: %s. If the server lets in some addresses only: functions come from addresses of AWS that change",
			setting, strings.Join(strings.Fields(err.Error()), " "))
		return nil
	}
	return conn
}

func (c *checks) server(ctx context.Context, conn *pgx.Conn) bool {
	var version int
	var name string
	if err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_version')`).Scan(&version, &name); err != nil {
		c.fail("database", "it does not answer: %s", err)
		return false
	}
	return c.newEnough(version, name)
}

func (c *checks) newEnough(version int, name string) bool {
	if version < oldestServer {
		c.fail("database", "it is PostgreSQL %s: 15 or later is needed", name)
		return false
	}
	c.ok("database", "PostgreSQL %s", name)
	return true
}

// rights tries what the migrations do, in a transaction that is rolled back.
func (c *checks) rights(ctx context.Context, conn *pgx.Conn) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		c.fail("database", "begin a transaction: %s", err)
		return
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	good := true
	for _, e := range extensions {
		if err := attempt(ctx, tx, "CREATE EXTENSION IF NOT EXISTS "+e); err != nil {
			good = false
			c.extension(e, conn.Config(), err)
		}
	}
	if err := attempt(ctx, tx, "CREATE TABLE lafaek_preflight ()"); err != nil {
		good = false
		c.fail("database", "%s may not make tables (%s): as an administrator run GRANT CREATE ON SCHEMA public TO %s",
			conn.Config().User, words(err), quoted(conn.Config().User))
	}
	if err := roles(ctx, tx); err != nil {
		good = false
		c.fail("database", "%s may not make or take the role %s (%s): as an administrator run ALTER ROLE %s CREATEROLE; if another login has made the role: GRANT %s TO %s",
			conn.Config().User, appRole, words(err), quoted(conn.Config().User), appRole, quoted(conn.Config().User))
	}
	if good {
		c.ok("database", "%s may run the migrations", conn.Config().User)
	}
}

// extension explains why an extension cannot be made.
func (c *checks) extension(name string, cfg *pgx.ConnConfig, err error) {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && slices.Contains([]string{"0A000", "58P01"}, pg.Code) {
		c.fail("database", "the server does not have the extension %s: install its package, or take a provider that has it", name)
		return
	}
	c.fail("database", "%s may not make the extension %s (%s): as an administrator run CREATE EXTENSION %s in the database %s", cfg.User, name, words(err), name, cfg.Database)
}

// attempt runs a statement, and undoes it if it fails.
func attempt(ctx context.Context, tx pgx.Tx, statement string) error {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	if _, err := inner.Exec(ctx, statement); err != nil {
		return errors.Join(err, inner.Rollback(ctx))
	}
	return inner.Commit(ctx)
}

// roles does what the first migration does with roles, where it has not run yet.
func roles(ctx context.Context, tx pgx.Tx) error {
	const q = `SELECT to_regclass('reports') IS NOT NULL, EXISTS (SELECT FROM pg_roles WHERE rolname = '` + appRole + `'),
		(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)`
	var migrated, exists, super bool
	if err := tx.QueryRow(ctx, q).Scan(&migrated, &exists, &super); err != nil {
		return err
	}
	if migrated {
		return nil
	}
	if !exists {
		if err := attempt(ctx, tx, "CREATE ROLE "+appRole+" NOLOGIN"); err != nil {
			return err
		}
	}
	if super {
		return nil
	}
	return attempt(ctx, tx, "GRANT "+appRole+" TO CURRENT_USER")
}

// login checks the login of the functions, where the owner has another one.
func (c *checks) login(ctx context.Context, owner *pgx.Conn, functions *pgx.ConnConfig) {
	short, _, _ := strings.Cut(functions.User, ".") // some poolers want the name of the tenant after a full stop
	const q = `SELECT rolname, rolsuper OR pg_has_role(oid, current_user, 'MEMBER') FROM pg_roles WHERE rolname IN ($1, $2) ORDER BY rolname = $1 DESC LIMIT 1`
	var name string
	var owns bool
	err := owner.QueryRow(ctx, q, functions.User, short).Scan(&name, &owns)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		c.fail("database", "database_secret: the login %s does not exist: as the owner (migration_secret) run CREATE ROLE %s LOGIN NOINHERIT PASSWORD '…'", short, quoted(short))
		return
	case err != nil:
		c.fail("database", "look for the login of the functions: %s", words(err))
		return
	case owns:
		c.fail("database", "database_secret: the login %s owns the schema, or may become its owner: name another login there, or leave migration_secret away", name)
		return
	}
	tx, err := owner.Begin(ctx)
	if err != nil {
		c.fail("database", "begin a transaction: %s", words(err))
		return
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if err := attempt(ctx, tx, "ALTER ROLE "+quoted(name)+" NOINHERIT"); err != nil {
		c.fail("database", "migration_secret: %s may not change the login %s (%s): make that login as this owner, who needs CREATEROLE", owner.Config().User, name, words(err))
		return
	}
	conn := c.connect(ctx, functions, databaseSecret)
	if conn == nil {
		return
	}
	_ = conn.Close(ctx)
	c.ok("database", "functions sign in as %s", name)
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// words is the message of PostgreSQL, in one line.
func words(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Message
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
