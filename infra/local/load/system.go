package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/cache"
	"github.com/lafaekstreet/backend/infra/local/nominatim"
	"github.com/lafaekstreet/backend/infra/local/postgres"
	"github.com/lafaekstreet/backend/infra/local/subprocess"
	"github.com/lafaekstreet/backend/shared/config"
)

// ownSystem is a system that load starts: `make run` in another process. Its database and its cache are reached through
// relays, so that load can stop them.
type ownSystem struct {
	dir      string
	port     int
	binaries postgres.Binaries
	cluster  *postgres.Cluster
	database *relay
	cache    *cache.Server
	cached   *relay
	places   *nominatim.Server
	process  *subprocess.Process
	command  *exec.Cmd
	starts   int
}

const databaseName = "lafaekstreet"

// startOwnSystem starts with an empty folder: it removes the state of an earlier run.
func startOwnSystem(ctx context.Context, o options) (*ownSystem, error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	tools, err := filepath.Abs(".run/pg")
	if err != nil {
		return nil, err
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("remove the earlier state: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s := &ownSystem{dir: dir, port: o.port}
	if s.binaries, err = postgres.FindBinaries(ctx, tools, os.Stdout); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *ownSystem) start(ctx context.Context) error {
	if err := s.startDatabase(ctx); err != nil {
		return err
	}
	if err := s.startCache(ctx); err != nil {
		return err
	}
	var err error
	if s.places, err = nominatim.Start(nominatim.Options{Interval: -1}); err != nil { // a busy machine does not keep its interval
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(s.dir, "local"), "./infra/local")
	if err := subprocess.Run(build, "build the system"); err != nil {
		return err
	}
	return s.startSystem(ctx)
}

func (s *ownSystem) startDatabase(ctx context.Context) error {
	cluster, err := postgres.Start(ctx, postgres.Options{Dir: filepath.Join(s.dir, "postgres"), Binaries: s.binaries, Durable: true, Connections: 200})
	if err != nil {
		return err
	}
	s.cluster = cluster
	address, err := url.Parse(cluster.URL("postgres"))
	if err != nil {
		return err
	}
	if s.database != nil {
		s.database.connectTo(address.Host)
		return nil
	}
	if s.database, err = newRelay(ctx, address.Host); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, cluster.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+databaseName)
	return errors.Join(err, conn.Close(ctx))
}

func (s *ownSystem) databaseURL() string {
	return "postgres://postgres@" + s.database.address() + "/" + databaseName + "?sslmode=disable"
}

func (s *ownSystem) startCache(ctx context.Context) error {
	server, err := cache.Start(ctx)
	if err != nil {
		return err
	}
	s.cache = server
	address, err := url.Parse(server.URL())
	if err != nil {
		return err
	}
	if s.cached != nil {
		s.cached.connectTo(address.Host)
		return nil
	}
	s.cached, err = newRelay(ctx, address.Host)
	return err
}

// startSystem starts the process and returns when it answers requests.
func (s *ownSystem) startSystem(ctx context.Context) error {
	s.starts++
	log, err := os.Create(filepath.Join(s.dir, "system-"+strconv.Itoa(s.starts)+".log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	s.command = exec.Command(filepath.Join(s.dir, "local"))
	s.command.Dir, s.command.Stdout, s.command.Stderr = s.dir, log, log
	s.command.Env = append(os.Environ(), "PORT="+strconv.Itoa(s.port), "DATABASE_URL="+s.databaseURL(),
		"CACHE_URL=redis://"+s.cached.address()+"/0", "NOMINATIM_URL="+s.places.URL(), "ADMIN_SETUP_TOKEN="+setupToken)
	for _, limit := range []string{"USER_PER_MINUTE", "USER_BURST", "ADDRESS_PER_MINUTE", "VIEW_PER_MINUTE", "AUTH_PER_MINUTE",
		"CREATE_PER_HOUR", "SYNC_PER_HOUR", "UPLOAD_PER_HOUR", "COMMENT_PER_HOUR", "FLAG_PER_HOUR", "IMPORT_PER_HOUR", "VERIFY_PER_MINUTE",
		"MAILED_ADDRESSES_PER_HOUR"} {
		s.command.Env = append(s.command.Env, "RATE_LIMIT_"+limit+"=1000000") // rate limits are not tested here
	}
	if s.process, err = subprocess.Start(s.command); err != nil {
		return fmt.Errorf("start the system: %w", err)
	}
	for range 1200 {
		if _, err := s.console().Do(ctx, apiclient.Request{Path: "//health"}); err == nil {
			return nil
		}
		select {
		case <-s.process.Done():
			return fmt.Errorf("the system ended at once, see %s", log.Name())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return errors.New("the system does not answer")
}

// kill ends the system as a power failure would.
func (s *ownSystem) kill() error {
	if err := s.command.Process.Kill(); err != nil {
		return fmt.Errorf("kill the system: %w", err)
	}
	<-s.process.Done()
	return nil
}

func (s *ownSystem) url() string { return "http://localhost:" + strconv.Itoa(s.port) }

// mailboxSize is how many mails the stand-in keeps.
const mailboxSize = 5000

// mails counts the mails that arrived, without the sign-up code of each citizen. It is nil when the stand-in no longer has
// all of them.
func (s *ownSystem) mails(citizens int) func() (int, error) {
	raw, err := os.ReadFile(filepath.Join(s.dir, ".run", "mail", "mails.jsonl"))
	kept := bytes.Count(raw, []byte("\n"))
	if err == nil && kept >= mailboxSize {
		return nil
	}
	return func() (int, error) { return kept - citizens, err }
}

// settings are the settings of the running functions.
func (s *ownSystem) settings() (config.Env, error) {
	file, err := os.Open(filepath.Join(s.dir, ".run", "env"))
	if err != nil {
		return nil, fmt.Errorf("read the system's settings: %w", err)
	}
	defer func() { _ = file.Close() }()
	env := config.Env{"DATABASE_URL": s.databaseURL()}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			env[name] = strings.ReplaceAll(strings.Trim(value, "'"), `'\''`, "'")
		}
	}
	return env, lines.Err()
}

func (s *ownSystem) stop() {
	if s.process != nil {
		_ = s.process.Stop(10 * time.Second) // its state goes with the folder
	}
	if s.places != nil {
		_ = s.places.Close()
	}
	if s.cache != nil {
		_ = s.cache.Stop()
	}
	if s.cluster != nil {
		_ = s.cluster.Stop()
	}
}

// environment is the environment of this process.
func environment() config.Env {
	env := config.Env{}
	for _, pair := range os.Environ() {
		if name, value, ok := strings.Cut(pair, "="); ok {
			env[name] = value
		}
	}
	return env
}
