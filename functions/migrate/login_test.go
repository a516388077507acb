package migrate_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/migrate"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
)

// admit runs migrate for a login of the functions.
func admit(t *testing.T, owner, functions string) error {
	t.Helper()
	m, err := migrate.New(config.Env{"DATABASE_URL": functions, "DATABASE_OWNER_URL": owner, "DATABASE_STATEMENT_TIMEOUT": "9s"})
	if err != nil {
		t.Fatal(err)
	}
	return m.Run(t.Context())
}

// newLogin makes a role for the length of the test.
func newLogin(t *testing.T, admin *pgx.Conn, options string) string {
	t.Helper()
	login := "login_" + strings.ToLower(rand.Text())
	if _, err := admin.Exec(t.Context(), "CREATE ROLE "+login+" LOGIN "+options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(context.WithoutCancel(t.Context()), "DROP ROLE "+login); err != nil {
			t.Error(err)
		}
		_ = admin.Close(context.WithoutCancel(t.Context()))
	})
	return login
}

// With an address of the owner, the functions' login begins each session in their role and with their limits, and has no right that
// this role does not have. The owner is refused as a login of the functions.
func TestTheLoginOfTheFunctionsIsAdmitted(t *testing.T) {
	t.Parallel()
	owner := testdb.URL(t)
	admin, err := pgx.Connect(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	login := newLogin(t, admin, "INHERIT") // migrate takes INHERIT away
	for range 2 {
		if err := admit(t, owner, testdb.As(t, owner, login)); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := pgx.Connect(t.Context(), testdb.As(t, owner, login))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var got string
	const q = `SELECT current_user || ' ' || current_setting('statement_timeout') || ' ' || current_setting('timezone') FROM reports RIGHT JOIN (SELECT) AS one ON true`
	if err := conn.QueryRow(t.Context(), q).Scan(&got); err != nil || got != "lafaek_app 9s UTC" {
		t.Errorf("a session begins as %q, %v", got, err)
	}
	if _, err := conn.Exec(t.Context(), `SET ROLE NONE`); err != nil {
		t.Fatal(err)
	}
	for _, forbidden := range []string{`SELECT FROM reports`, `ALTER TABLE ledger_events DISABLE TRIGGER ALL`, `SET ROLE postgres`} {
		if _, err := conn.Exec(t.Context(), forbidden); err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s without the role: %v", forbidden, err)
		}
	}
	if err := admit(t, owner, testdb.As(t, owner, "postgres")); !errors.Is(err, migrate.ErrLoginOwns) {
		t.Errorf("the owner as the functions' login: %v", err)
	}
	if err := admit(t, owner, testdb.As(t, owner, "nobody_has_this_name")); !errors.Is(err, migrate.ErrLoginMissing) {
		t.Errorf("a login that does not exist: %v", err)
	}
}

// Migrate makes the logins of single functions, and lets each work in the role of the functions and in no other.
func TestLoginsOfSingleFunctionsAreMade(t *testing.T) {
	t.Parallel()
	owner := testdb.URL(t)
	admin, err := pgx.Connect(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	name := "lafaek_" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		if _, err := admin.Exec(context.WithoutCancel(t.Context()), "DROP ROLE "+name); err != nil {
			t.Error(err)
		}
		_ = admin.Close(context.WithoutCancel(t.Context()))
	})
	m, err := migrate.New(config.Env{"DATABASE_URL": owner, "DATABASE_LOGINS": name, "DATABASE_STATEMENT_TIMEOUT": "9s"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := pgx.Connect(t.Context(), testdb.As(t, owner, name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var got string
	if err := conn.QueryRow(t.Context(), `SELECT current_user || ' ' || current_setting('statement_timeout')`).Scan(&got); err != nil || got != "lafaek_app 9s" {
		t.Errorf("a session begins as %q, %v", got, err)
	}
	for _, forbidden := range []string{`SET ROLE postgres`, `ALTER TABLE ledger_events DISABLE TRIGGER ALL`} {
		if _, err := conn.Exec(t.Context(), forbidden); err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: %v", forbidden, err)
		}
	}
}
