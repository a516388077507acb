package migrate

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// appRole is the role with the rights of the functions; see migrations/00001_extensions.sql.
const appRole = "lafaek_app"

// Errors of the login of the functions.
var (
	ErrLoginMissing = errors.New("the login of the functions does not exist: sign in as the owner and run " +
		"CREATE ROLE name LOGIN NOINHERIT PASSWORD '…', with the name and the password of DATABASE_URL")
	ErrLoginOwns = errors.New("the login of the functions in DATABASE_URL is the owner of the schema, or may become it: name another " +
		"login there, or leave DATABASE_OWNER_URL (migration_secret) away")
	ErrLoginStale = errors.New("a new session of the login of the functions does not have the role " + appRole + ": a pooler still has connections " +
		"that are older than the grant. Make it connect again (RECONNECT in PgBouncer), or wait until it closes idle connections, and repeat")
)

// admitFunctions lets the login of the functions work, if the owner has another one: every session of it begins in the role
// of the functions and with their limits, so that nothing has to be sent for that. The login itself has no rights.
func (m *Migrate) admitFunctions(ctx context.Context, db *database.DB) error {
	if err := m.makeLogins(ctx, db); err != nil {
		return err
	}
	if m.cfg.Database.OwnerURL == "" {
		return nil
	}
	l, err := m.functionsLogin(ctx, db)
	if err != nil {
		return err
	}
	err = db.InTx(ctx, func(tx *database.Tx) error {
		for _, statement := range l.admission(m.cfg.StatementTimeout) {
			tx.Queue(statement)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("admit the login %s of the functions (the owner needs CREATEROLE, and has to have made that login): %w", l.Name, err)
	}
	return m.checkLogin(ctx)
}

// makeLogins makes the logins that the configuration names, and lets each work as the functions do. In Aurora they sign in with
// tokens of AWS (the role rds_iam), and so have no password.
func (m *Migrate) makeLogins(ctx context.Context, db *database.DB) error {
	for _, name := range m.cfg.Logins {
		const find = `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1), EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam'),
			current_setting('server_version_num')::int`
		var exists, iam bool
		l := login{Name: name}
		if err := db.QueryRow(ctx, find, name).Scan(&exists, &iam, &l.Server); err != nil {
			return fmt.Errorf("look for the login %s: %w", name, err)
		}
		quoted := pgx.Identifier{name}.Sanitize()
		err := db.InTx(ctx, func(tx *database.Tx) error {
			if !exists {
				tx.Queue("CREATE ROLE " + quoted + " LOGIN NOINHERIT")
			}
			if iam {
				tx.Queue("GRANT rds_iam TO " + quoted)
			}
			for _, statement := range l.admission(m.cfg.StatementTimeout) {
				tx.Queue(statement)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("make the login %s: %w", name, err)
		}
	}
	return nil
}

// login is a role that signs in.
type login struct {
	Name string
	// Owns is true if the role owns the schema, or may take that role.
	Owns bool
	// Server is the version of PostgreSQL: 150004 is 15.4.
	Server int
}

// functionsLogin is the role that DATABASE_URL signs in as. Some poolers want the name of the tenant after a full stop.
func (m *Migrate) functionsLogin(ctx context.Context, db *database.DB) (login, error) {
	c, err := pgx.ParseConfig(m.cfg.Database.FunctionsURL)
	if err != nil {
		return login{}, errors.New("DATABASE_URL is malformed")
	}
	short, _, _ := strings.Cut(c.User, ".")
	const find = `
		SELECT r.rolname, r.rolsuper OR pg_has_role(r.oid, t.relowner, 'MEMBER'), current_setting('server_version_num')::int
		  FROM pg_roles r, pg_class t WHERE r.rolname IN ($1, $2) AND t.oid = 'reports'::regclass ORDER BY r.rolname = $1 DESC LIMIT 1`
	rows, err := db.Query(ctx, find, c.User, short)
	if err != nil {
		return login{}, fmt.Errorf("look for the login of the functions: %w", err)
	}
	l, err := pgx.CollectOneRow(rows, pgx.RowToStructByPos[login])
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return login{}, ErrLoginMissing
	case err != nil:
		return login{}, fmt.Errorf("look for the login of the functions: %w", err)
	case l.Owns:
		return login{}, ErrLoginOwns
	}
	return l, nil
}

// admission are the statements that let the login work as the functions do. A statement of it may take as long as limit.
func (l login) admission(limit time.Duration) []string {
	name := pgx.Identifier{l.Name}.Sanitize()
	grant := "GRANT " + appRole + " TO " + name
	if l.Server >= 160000 {
		grant += " WITH INHERIT FALSE" // before, NOINHERIT of the login said so
	}
	return []string{
		"ALTER ROLE " + name + " NOINHERIT",
		grant,
		"ALTER ROLE " + name + " SET role = " + appRole,
		"ALTER ROLE " + name + " SET timezone = 'UTC'",
		"ALTER ROLE " + name + " SET statement_timeout = " + strconv.FormatInt(limit.Milliseconds(), 10),
	}
}

// checkLogin signs in as the functions do.
func (m *Migrate) checkLogin(ctx context.Context) error {
	c := m.cfg.Database
	db, err := database.Open(ctx, database.Config{URL: c.FunctionsURL, MaxConns: 1, ExecMode: c.ExecMode})
	if err != nil {
		return err
	}
	defer db.Close()
	var role string
	if err := db.QueryRow(ctx, `SELECT current_user::text`).Scan(&role); err != nil {
		return fmt.Errorf("sign in as the functions do, by DATABASE_URL: %w", err)
	}
	if role != appRole {
		return ErrLoginStale
	}
	return nil
}
