package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/cache"
	"github.com/lafaekstreet/backend/infra/local/postgres"
	"github.com/lafaekstreet/backend/infra/local/subprocess"
	"github.com/lafaekstreet/backend/shared/config"
)

// stand is a system of the load's own: `make run` in another process, on a database and a cache that this process can
// take away from it.
type stand struct {
	dir      string
	port     int
	binaries postgres.Binaries
	cluster  *postgres.Cluster
	database *relay
	cache    *cache.Server
	cached   *relay
	process  *subprocess.Process
	command  *exec.Cmd
	starts   int
}

const databaseName = "lafaekstreet"

// startStand begins with nothing: what an earlier run left is removed.
func startStand(ctx context.Context, o options) (*stand, error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	tools, err := filepath.Abs(".run/pg")
	if err != nil {
		return nil, err
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("begin with nothing: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s := &stand{dir: dir, port: o.port}
	if s.binaries, err = postgres.FindBinaries(ctx, tools, os.Stdout); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *stand) start(ctx context.Context) error {
	if err := s.startDatabase(ctx); err != nil {
		return err
	}
	if err := s.startCache(ctx); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(s.dir, "local"), "./infra/local")
	if err := subprocess.Run(build, "build the system"); err != nil {
		return err
	}
	return s.startSystem(ctx)
}

func (s *stand) startDatabase(ctx context.Context) error {
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
		s.database.turn(address.Host)
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

func (s *stand) databaseURL() string {
	return "postgres://postgres@" + s.database.address() + "/" + databaseName + "?sslmode=disable"
}

func (s *stand) startCache(ctx context.Context) error {
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
		s.cached.turn(address.Host)
		return nil
	}
	s.cached, err = newRelay(ctx, address.Host)
	return err
}

// startSystem starts the process and returns when it answers.
func (s *stand) startSystem(ctx context.Context) error {
	s.starts++
	log, err := os.Create(filepath.Join(s.dir, "system-"+strconv.Itoa(s.starts)+".log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	s.command = exec.Command(filepath.Join(s.dir, "local"))
	s.command.Dir, s.command.Stdout, s.command.Stderr = s.dir, log, log
	s.command.Env = append(os.Environ(), "PORT="+strconv.Itoa(s.port), "DATABASE_URL="+s.databaseURL(),
		"CACHE_URL=redis://"+s.cached.address()+"/0", "ADMIN_SETUP_TOKEN="+setupToken)
	for _, limit := range []string{"USER_PER_MINUTE", "USER_BURST", "ADDRESS_PER_MINUTE", "VIEW_PER_MINUTE", "AUTH_PER_MINUTE",
		"CREATE_PER_HOUR", "SYNC_PER_HOUR", "UPLOAD_PER_HOUR"} {
		s.command.Env = append(s.command.Env, "RATE_LIMIT_"+limit+"=1000000") // it is not the limits that are tried here
	}
	if s.process, err = subprocess.Start(s.command); err != nil {
		return fmt.Errorf("start the system: %w", err)
	}
	for range 1200 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url()+"/health", nil)
		if err != nil {
			return err
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			_ = res.Body.Close()
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
func (s *stand) kill() error {
	if err := s.command.Process.Kill(); err != nil {
		return fmt.Errorf("kill the system: %w", err)
	}
	<-s.process.Done()
	return nil
}

func (s *stand) url() string { return "http://localhost:" + strconv.Itoa(s.port) }

// mailboxSize is from when the stand-in forgets its oldest mails.
const mailboxSize = 5000

// mails counts the mails that arrived, less the code that each citizen signed up with. Where more arrived than are kept,
// nobody can.
func (s *stand) mails(citizens int) func() (int, error) {
	raw, err := os.ReadFile(filepath.Join(s.dir, ".run", "mail", "mails.jsonl"))
	kept := bytes.Count(raw, []byte("\n"))
	if err == nil && kept >= mailboxSize {
		return nil
	}
	return func() (int, error) { return kept - citizens, err }
}

// settings are those of the functions, as they run.
func (s *stand) settings() (config.Env, error) {
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

func (s *stand) stop() {
	if s.process != nil {
		_ = s.process.Stop(10 * time.Second) // the account is made; what is left over goes with the directory
	}
	if s.cache != nil {
		_ = s.cache.Stop()
	}
	if s.cluster != nil {
		_ = s.cluster.Stop()
	}
}

// environment is this process's own.
func environment() config.Env {
	env := config.Env{}
	for _, pair := range os.Environ() {
		if name, value, ok := strings.Cut(pair, "="); ok {
			env[name] = value
		}
	}
	return env
}
