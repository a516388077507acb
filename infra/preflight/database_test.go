package preflight

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/testdb"
)

// inspect returns the findings about a database, by the addresses of its secrets; an empty owner: there is no migration_secret.
func inspect(t *testing.T, functions, owner string, change ...func(*Plan)) string {
	t.Helper()
	p := Plan{DatabaseSecret: "db", DatabaseMode: "cache_statement", FunctionCA: "/var/task/database-ca.pem"}
	if owner != "" {
		p.MigrationSecret = "owner"
	}
	for _, f := range change {
		f(&p)
	}
	env := standIn(t, with(holding(map[string]string{"db": functions, "owner": owner})))
	got := find(Check(t.Context(), p, env), "database")
	if strings.Contains(got, "s3cret") {
		t.Errorf("a secret is printed:\n%s", got)
	}
	return got
}

func want(t *testing.T, got string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(got, w) {
			t.Errorf("%q is not in:\n%s", w, got)
		}
	}
}

// newLogin makes a login for the length of the test.
func newLogin(t *testing.T, conn *pgx.Conn, options string) string {
	t.Helper()
	login := "login_" + strings.ToLower(rand.Text())
	if _, err := conn.Exec(t.Context(), "CREATE ROLE "+login+" LOGIN "+options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := conn.Exec(context.WithoutCancel(t.Context()), "DROP OWNED BY "+login+"; DROP ROLE "+login); err != nil {
			t.Error(err)
		}
	})
	return login
}

// An empty database passes, and nothing is left in it.
func TestADatabaseIsTriedAndLeftAsItWas(t *testing.T) {
	t.Parallel()
	address := testdb.EmptyURL(t)
	want(t, inspect(t, address, ""), "ok PostgreSQL", "may run the migrations")
	var left int
	const q = `SELECT (SELECT count(*) FROM pg_extension WHERE extname <> 'plpgsql') + (SELECT count(*) FROM pg_class WHERE relname = 'lafaek_preflight')`
	if err := testdb.Connect(t, address).QueryRow(t.Context(), q).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d things are left in the database, %v", left, err)
	}
}

// A database of an earlier deploy passes too.
func TestADatabaseWithTheSchema(t *testing.T) {
	t.Parallel()
	if got := inspect(t, testdb.URL(t), ""); strings.Contains(got, "FAIL") {
		t.Error(got)
	}
}

func TestAnOwnerWithoutRights(t *testing.T) {
	t.Parallel()
	address := testdb.EmptyURL(t)
	poor := newLogin(t, testdb.Connect(t, address), "")
	got := inspect(t, testdb.As(t, address, poor), "")
	want(t, got, "FAIL "+poor+" may not make the extension postgis", "run CREATE EXTENSION postgis in the database",
		"may not make tables", "GRANT CREATE ON SCHEMA public", "may not make or take the role lafaek_app", "CREATEROLE")
	if strings.Contains(got, "may run the migrations") {
		t.Errorf("it passes:\n%s", got)
	}
}

// With migration_secret the functions have a login that exists and owns nothing.
func TestTheLoginOfTheFunctions(t *testing.T) {
	t.Parallel()
	address := testdb.EmptyURL(t)
	conn := testdb.Connect(t, address)
	var owner string
	if err := conn.QueryRow(t.Context(), `SELECT current_user`).Scan(&owner); err != nil {
		t.Fatal(err)
	}
	login := newLogin(t, conn, "NOINHERIT")
	want(t, inspect(t, testdb.As(t, address, login), address), "ok functions sign in as "+login)
	want(t, inspect(t, testdb.As(t, address, "nobody_here"), address), "FAIL database_secret: the login nobody_here does not exist", "CREATE ROLE")
	want(t, inspect(t, address, address), "FAIL database_secret: the login "+owner+" owns the schema")
	if _, err := conn.Exec(t.Context(), "GRANT "+pgx.Identifier{owner}.Sanitize()+" TO "+login); err != nil {
		t.Fatal(err)
	}
	want(t, inspect(t, testdb.As(t, address, login), address), "or may become its owner")
}

func TestAddressesThatAreRefused(t *testing.T) {
	t.Parallel()
	for address, words := range map[string]string{
		"postgres://u:s3cret@127.0.0.1:1/d":                                                          "FAIL database_secret: failed to connect",
		"mysql://u:s3cret@h/d":                                                                       "FAIL database_secret: it is not postgres://",
		"postgres://u:s3cret%zz@h/d":                                                                 "FAIL database_secret: it is not postgres://",
		"postgres://u:s3cret@db.example/d":                                                           "FAIL database_secret: passwords and reports would travel unencrypted",
		"postgres://u:s3cret@db.example/d?sslmode=prefer":                                            "unencrypted",
		"postgres://u:s3cret@db.example/d?sslmode=verify-full&sslrootcert=/etc/ca.pem":               "functions have no file /etc/ca.pem",
		"postgres://u:s3cret@db.example/d?sslmode=verify-full&sslrootcert=/var/task/database-ca.pem": "database_ca",
		"postgres://u:s3cret@127.0.0.1:6543/d":                                                       `set "database_exec_mode": "exec"`,
	} {
		want(t, inspect(t, address, ""), words)
	}
	want(t, inspect(t, "postgres://u:s3cret@127.0.0.1:6543/d", ""), "migrations need a direct address")
	if got := inspect(t, "postgres://u:s3cret@127.0.0.1:6543/d", "postgres://o:s3cret@127.0.0.1:1/d", func(p *Plan) { p.DatabaseMode = "exec" }); strings.Contains(got, "pooler") {
		t.Errorf("a pooler that is set up gets a warning:\n%s", got)
	}
}

func TestAServerThatIsTooOld(t *testing.T) {
	t.Parallel()
	c := &checks{}
	if c.newEnough(140012, "14.12") || !c.newEnough(150000, "15.0") {
		t.Error("15 is the oldest")
	}
	want(t, find(c.findings, "database"), "FAIL it is PostgreSQL 14.12: 15 or later")
}

// The statements of the README make an owner and a database that pass. Where another owner of the same server has made the role of the
// functions, PostgreSQL 16 asks for one more statement, and the finding names it.
func TestTheDatabaseOfTheReadmeIsReady(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s) *```sql\n(.*?)```").FindAllStringSubmatch(string(raw), -1)
	if len(blocks) != 2 {
		t.Fatalf("the README has %d blocks of SQL", len(blocks))
	}
	address := testdb.EmptyURL(t)
	conn := testdb.Connect(t, address)
	name := "readme_" + strings.ToLower(rand.Text())
	// The administrator that a provider gives is no superuser.
	const provider = "CREATE ROLE provider_%[1]s CREATEROLE CREATEDB; SET SESSION AUTHORIZATION provider_%[1]s;%[2]s; RESET SESSION AUTHORIZATION"
	for _, statement := range strings.Split(fmt.Sprintf(provider, name, strings.NewReplacer("lafaek_owner", name, "lafaekstreet", name).Replace(blocks[0][1])), ";") {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	t.Cleanup(func() {
		for _, statement := range []string{"DROP DATABASE " + name + " WITH (FORCE)", "DROP ROLE " + name, "DROP ROLE provider_" + name} {
			if _, err := conn.Exec(context.WithoutCancel(t.Context()), statement); err != nil {
				t.Error(err)
			}
		}
	})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	if _, err := testdb.Connect(t, u.String()).Exec(t.Context(), blocks[1][1]); err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(name, "choose1")
	for _, line := range strings.Split(inspect(t, u.String(), ""), "\n") {
		if strings.HasPrefix(line, "FAIL") && !strings.Contains(line, "the role lafaek_app") {
			t.Error(line)
		}
	}
}
