package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/generate"
	"github.com/lafaekstreet/backend/infra/local/postgres"
	"github.com/lafaekstreet/backend/migrations"
)

// seed is the seed of all generated data.
const seed = 1

// store makes databases. It generates the data of each size once. What only reads is measured on the generated database, what
// writes on a copy.
type store struct {
	options Options
	server  string
	cluster *postgres.Cluster // nil when Options.Server is used
	made    []string          // databases to drop at the end
	own     string            // part of the names of this run's databases on a shared server
}

func openStore(ctx context.Context, o Options) (*store, error) {
	s := &store{options: o, server: o.Server, own: rand.Text()}
	if s.server != "" {
		return s, nil
	}
	binaries, err := postgres.FindBinaries(ctx, filepath.Join(o.Dir, "..", "pg"), o.Log)
	if err != nil {
		return nil, err
	}
	s.cluster, err = postgres.Start(ctx, postgres.Options{Dir: filepath.Join(o.Dir, "postgres"), Binaries: binaries, Connections: 500,
		Settings: []string{"shared_buffers=1GB", "max_wal_size=2GB"}})
	if err != nil {
		return nil, err
	}
	s.server = s.cluster.URL("postgres")
	return s, nil
}

func (s *store) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var failed error
	for _, name := range s.made {
		failed = errors.Join(failed, s.admin(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)"))
	}
	if s.cluster == nil {
		return failed
	}
	return errors.Join(failed, s.cluster.Stop())
}

// maxCopied is the number of reports of the largest copy. Of ten million there is no space for one.
const maxCopied = 1_000_000

// Database returns a new copy of the generated database of a size, at most maxCopied. It is dropped at the end of the run.
func (r *Run) Database(ctx context.Context, size int) (Database, error) {
	generated, err := r.generated(ctx, min(size, maxCopied))
	if err != nil {
		return Database{}, err
	}
	name := "bench_" + rand.Text()
	if err := r.store.admin(ctx, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(generated.name)+" STRATEGY FILE_COPY"); err != nil {
		return Database{}, err
	}
	r.store.made = append(r.store.made, name)
	return Database{name: name, URL: r.store.url(name), Options: generated.Options}, nil
}

// generated returns the generated database of a size itself.
func (r *Run) generated(ctx context.Context, size int) (Database, error) {
	name, until, err := r.store.ensure(ctx, size)
	return Database{name: name, URL: r.store.url(name), kept: true, Options: generate.Options{Reports: size, Seed: seed, Until: until}}, err
}

// release drops a copy before the end of the run, even if connections are open. From a generated database it removes what
// signing in wrote, and ends the connections.
func (s *store) release(ctx context.Context, d Database) error {
	if d.kept {
		return s.clean(ctx, d)
	}
	err := s.admin(ctx, "DROP DATABASE IF EXISTS "+quote(d.name)+" WITH (FORCE)")
	if err == nil {
		s.made = slices.DeleteFunc(s.made, func(name string) bool { return name == d.name })
	}
	return err
}

// clean ends the connections to a generated database and deletes the sessions. Nothing else may be written to it.
func (s *store) clean(ctx context.Context, d Database) error {
	conn, err := pgx.Connect(ctx, d.URL)
	if err != nil {
		return fmt.Errorf("clean: %w", err)
	}
	batch := &pgx.Batch{}
	batch.Queue(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	batch.Queue(`TRUNCATE sessions CASCADE`)
	batch.Queue(`UPDATE users SET last_login_at = NULL WHERE last_login_at IS NOT NULL`)
	if err := errors.Join(conn.SendBatch(ctx, batch).Close(), conn.Close(ctx)); err != nil {
		return fmt.Errorf("clean: %w", err)
	}
	return nil
}

// Database is generated data to measure on.
type Database struct {
	name string
	kept bool // the generated database itself, no copy
	URL  string
	// Options are the options that generated it. Until is the time of its newest report.
	generate.Options
}

// AppURL is the address for connections in the role of the functions.
func (d Database) AppURL() string { return withQuery(d.URL, "role", "lafaek_app") }

// ensure generates the database of a size unless it exists, and migrates one with an older schema. It returns the name and
// the time of the newest report. The comment of the database has the hash of the schema and this time. It is set last, so a
// database without a comment was left by an interrupted run.
func (s *store) ensure(ctx context.Context, size int) (string, time.Time, error) {
	hash, err := migrations.Hash()
	if err != nil {
		return "", time.Time{}, err
	}
	name := fmt.Sprintf("generated_%d_%d", generate.Version, size)
	if s.cluster == nil { // other runs may use the server at the same time
		name += "_" + s.own
	}
	made, until, there := s.finished(ctx, name)
	if there && made == hash {
		return name, until, nil
	}
	if there && migrations.Apply(ctx, s.url(name)) == nil { // an error: the migrations of another branch
		return name, until, s.comment(ctx, name, hash, until)
	}
	start := time.Now()
	for _, sql := range []string{"DROP DATABASE IF EXISTS " + quote(name) + " WITH (FORCE)", "CREATE DATABASE " + quote(name)} {
		if err := s.admin(ctx, sql); err != nil {
			return "", time.Time{}, err
		}
	}
	if err := migrations.Apply(ctx, s.url(name)); err != nil {
		return "", time.Time{}, err
	}
	o := generate.Options{Reports: size, Seed: seed, Until: time.Now().UTC().Truncate(time.Second), Log: s.options.Log, Lean: s.options.Lean}
	if err := generate.Fill(ctx, s.url(name), o); err != nil {
		return "", time.Time{}, err
	}
	fmt.Fprintf(s.options.Log, "generated %s reports in %s\n", short(size), time.Since(start).Round(time.Second))
	if s.cluster == nil {
		s.made = append(s.made, name)
	}
	return name, o.Until, s.comment(ctx, name, hash, o.Until)
}

func (s *store) comment(ctx context.Context, name, hash string, until time.Time) error {
	return s.admin(ctx, "COMMENT ON DATABASE "+quote(name)+" IS '"+hash+" "+until.Format(time.RFC3339)+"'")
}

// finished reads the comment of a database. It returns false if there is none.
func (s *store) finished(ctx context.Context, name string) (string, time.Time, bool) {
	conn, err := pgx.Connect(ctx, s.server)
	if err != nil {
		return "", time.Time{}, false
	}
	defer func() { _ = conn.Close(ctx) }()
	var comment string
	const find = `SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = $1`
	if err := conn.QueryRow(ctx, find, name).Scan(&comment); err != nil {
		return "", time.Time{}, false
	}
	hash, end, _ := strings.Cut(comment, " ")
	until, err := time.Parse(time.RFC3339, end)
	return hash, until, err == nil
}

func (s *store) admin(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.server)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	_, err = conn.Exec(ctx, sql)
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		return fmt.Errorf("%.40s: %w", sql, err)
	}
	return nil
}

func (s *store) url(database string) string {
	u, err := url.Parse(s.server)
	if err != nil {
		return s.server // connecting to it reports the error
	}
	u.Path = "/" + database
	return u.String()
}

func withQuery(address, name, value string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return u.String()
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
