// Package postgres runs a private PostgreSQL server on the loopback interface of this machine, and installs PostgreSQL
// where it is missing.
//
// The server asks for no password: every account of the machine can connect while it runs.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lafaekstreet/backend/infra/local/loopback"
	"github.com/lafaekstreet/backend/infra/local/subprocess"
)

// superuser owns the cluster and its databases.
const superuser = "postgres"

const (
	startTimeout = 60 * time.Second // includes recovery after a crash
	stopTimeout  = 10 * time.Second
	// freeBytes is the disk space that a new cluster with a little data needs.
	freeBytes = 300 << 20
)

// Options configure Start.
type Options struct {
	// Dir holds the data of the cluster and its log file. The caller ensures that only one process uses it.
	Dir string
	// Binaries are the installation that runs the cluster.
	Binaries Binaries
	// Durable makes commits survive a crash of the machine. Without it a crash of the machine destroys the cluster.
	Durable bool
	// Connections is how many connections can be open at once; 0 means 100.
	Connections int
	// Settings are further settings of the server, as name=value. They replace the defaults of this package.
	Settings []string
}

// Cluster is a running server. On Linux it ends when this process ends, even if this process is killed.
type Cluster struct {
	options Options
	port    int
	process *subprocess.Process
}

// Start runs the cluster in options.Dir and returns when it accepts connections. It creates the cluster if there is none,
// and stops a server that an earlier process left running.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("find cluster directory: %w", err)
	}
	options.Dir = dir
	owner, err := serverUser(dir)
	if err != nil {
		return nil, err
	}
	if err := createCluster(ctx, options, owner); err != nil {
		return nil, err
	}
	c := &Cluster{options: options}
	if err := c.stopPredecessor(ctx); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(startTimeout)
	for {
		err := c.start(ctx, owner, deadline)
		if err == nil {
			return c, nil
		}
		// The backends of a killed postmaster may still run, and another process may have taken the free port.
		if !errors.Is(err, errExited) || time.Now().After(deadline) || ctx.Err() != nil || !c.exitedForPassingReason() {
			return nil, err
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// URL is the address of a database, with the superuser as its user.
func (c *Cluster) URL(database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", superuser, c.port, database)
}

// Stop ends the server. It closes open connections and keeps what was committed.
func (c *Cluster) Stop() error {
	return c.process.Stop(stopTimeout)
}

// Done is closed when the server has ended, after Stop or for another reason.
func (c *Cluster) Done() <-chan struct{} {
	return c.process.Done()
}

func (c *Cluster) start(ctx context.Context, owner *user, deadline time.Time) error {
	port, err := loopback.FreePort()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(c.logPath(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("open PostgreSQL log: %w", err)
	}
	defer log.Close()
	cmd := c.options.Binaries.command(owner, "postgres", append([]string{"-D", c.dataPath()}, c.settings(port)...)...)
	cmd.Stdout, cmd.Stderr = log, log
	c.process, err = subprocess.Start(cmd)
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	c.port = port
	if err := c.awaitReady(ctx, deadline); err != nil {
		return errors.Join(err, c.process.Stop(stopTimeout))
	}
	return nil
}

func (c *Cluster) settings(port int) []string {
	connections := c.options.Connections
	if connections == 0 {
		connections = 100
	}
	settings := []string{
		"port=" + strconv.Itoa(port),
		"listen_addresses=127.0.0.1",
		"unix_socket_directories=",
		"max_connections=" + strconv.Itoa(connections),
		"shared_buffers=64MB",
		"jit=off", // it makes none of the queries faster, and its library is large
		"timezone=UTC",
		"log_min_messages=warning",
	}
	if !c.options.Durable {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal",
			"max_wal_senders=0", "autovacuum=off", "max_wal_size=256MB")
	}
	settings = append(settings, c.options.Settings...) // PostgreSQL uses the last value of a setting
	flags := make([]string, 0, 2*len(settings))
	for _, setting := range settings {
		flags = append(flags, "-c", setting)
	}
	return flags
}

// errExited means that the server ended before it accepted connections.
var errExited = errors.New("PostgreSQL ended at once")

func (c *Cluster) awaitReady(ctx context.Context, deadline time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	for {
		attempt, done := context.WithTimeout(ctx, time.Second)
		conn, err := pgconn.Connect(attempt, c.URL("postgres"))
		if err == nil {
			err = conn.Close(attempt)
		}
		done()
		if err == nil {
			return nil
		}
		select {
		case <-c.process.Done():
			return fmt.Errorf("%w: %s", errExited, c.causeInLog())
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL accepts no connections, see %s: %w", c.logPath(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *Cluster) dataPath() string { return filepath.Join(c.options.Dir, "data") }
func (c *Cluster) logPath() string  { return filepath.Join(c.options.Dir, "postgres.log") }

// exitedForPassingReason reports whether the log names a reason that is gone a moment later, so another start can succeed.
func (c *Cluster) exitedForPassingReason() bool {
	text, err := os.ReadFile(c.logPath())
	if err != nil {
		return false
	}
	for _, passing := range []string{"postmaster.pid", "pre-existing shared memory", "Address already in use"} {
		if strings.Contains(string(text), passing) {
			return true
		}
	}
	return false
}

// causeInLog returns the first fatal error in the log, else the last line.
func (c *Cluster) causeInLog() string {
	text, err := os.ReadFile(c.logPath())
	if err != nil {
		return "no log at " + c.logPath()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, line := range lines {
		if _, cause, ok := strings.Cut(line, "FATAL:  "); ok {
			return cause
		}
	}
	return lines[len(lines)-1]
}

// createCluster creates the data directory unless it exists. It removes what an interrupted call left.
func createCluster(ctx context.Context, options Options, owner *user) error {
	data := filepath.Join(options.Dir, "data")
	if exists(data) {
		return nil
	}
	if err := os.MkdirAll(options.Dir, 0o755); err != nil {
		return fmt.Errorf("make cluster directory: %w", err)
	}
	if err := owner.own(options.Dir); err != nil {
		return err
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(options.Dir, &disk); err != nil {
		return fmt.Errorf("read free disk space: %w", err)
	}
	if free := disk.Bavail * uint64(disk.Bsize); free < freeBytes {
		return fmt.Errorf("only %d MB are free at %s and PostgreSQL needs %d MB: make room, or point DATABASE_URL at a "+
			"database elsewhere", free>>20, options.Dir, freeBytes>>20)
	}
	fresh := data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("remove an interrupted cluster: %w", err)
	}
	args := []string{"-D", fresh, "-U", superuser, "-A", "trust", "--encoding=UTF8", "--locale=C.UTF-8"}
	if !options.Durable {
		args = append(args, "--no-sync")
	}
	cmd := options.Binaries.command(owner, "initdb", args...)
	if err := subprocess.Run(cmd, "make the database cluster"); err != nil {
		return err
	}
	if err := os.Rename(fresh, data); err != nil {
		return fmt.Errorf("rename the new cluster: %w", err)
	}
	return ctx.Err()
}

// command runs a program of the installation as owner.
func (b Binaries) command(owner *user, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(b.Bin, program), args...)
	cmd.Env = append(os.Environ(), b.Env...)
	cmd.Env = append(cmd.Env, "LC_ALL=C.UTF-8")
	cmd.Dir = "/"
	owner.apply(cmd)
	return cmd
}
