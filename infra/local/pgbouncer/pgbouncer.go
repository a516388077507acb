// Package pgbouncer runs PgBouncer, a connection pooler, in front of a PostgreSQL server of a test. It is in transaction mode:
// each transaction of a client may get another connection to the server, and startup parameters are refused.
package pgbouncer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/infra/local/loopback"
	"github.com/lafaekstreet/backend/infra/local/subprocess"
)

const (
	startTimeout = 10 * time.Second
	stopTimeout  = 3 * time.Second
	// poolSize is how many connections to the server a login and a database have. It is small, so that clients share them.
	poolSize = 8
)

// Find returns the path of the program, and false if the machine has none.
func Find() (string, bool) {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	return "", false
}

// Pooler is a running PgBouncer.
type Pooler struct {
	process *subprocess.Process
	address string
	dir     string
}

// Start runs program in front of the server at address, a URL. The logins need no password.
func Start(ctx context.Context, program, address string, logins ...string) (*Pooler, error) {
	port, err := loopback.FreePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgbouncer-")
	if err != nil {
		return nil, fmt.Errorf("configure PgBouncer: %w", err)
	}
	p := &Pooler{address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), dir: dir}
	if err := configure(dir, port, address, logins); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	var log strings.Builder
	cmd := exec.Command(program, filepath.Join(dir, "pgbouncer.ini"))
	cmd.Stdout, cmd.Stderr = &log, &log
	if p.process, err = subprocess.Start(cmd); err != nil {
		return nil, fmt.Errorf("start PgBouncer: %w", errors.Join(err, os.RemoveAll(dir)))
	}
	if err := p.awaitReady(ctx); err != nil {
		err = errors.Join(err, p.Stop())
		return nil, fmt.Errorf("start PgBouncer: %w: %s", err, log.String())
	}
	return p, nil
}

// configure writes the two files of PgBouncer. Root runs it as another account, which has to read them.
func configure(dir string, port int, address string, logins []string) error {
	server, err := url.Parse(address)
	if err != nil {
		return errors.New("configure PgBouncer: the server's address is no URL")
	}
	users := ""
	for _, login := range logins {
		users += strconv.Quote(login) + " \"\"\n"
	}
	config := fmt.Sprintf("[databases]\n* = host=%s port=%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\n"+
		"pool_mode = transaction\nauth_type = trust\nauth_file = %s\ndefault_pool_size = %d\nmax_client_conn = 500\n",
		server.Hostname(), server.Port(), port, filepath.Join(dir, "users.txt"), poolSize)
	if os.Geteuid() == 0 {
		config += "user = nobody\n" // PgBouncer refuses to run as root
	}
	for name, text := range map[string]string{"users.txt": users, "pgbouncer.ini": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("configure PgBouncer: %w", err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return fmt.Errorf("configure PgBouncer: %w", err)
	}
	return nil
}

// URL is the address of a database through the pooler, for a login.
func (p *Pooler) URL(login, database string) string {
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", login, p.address, database)
}

// Stop ends the pooler.
func (p *Pooler) Stop() error { return errors.Join(p.process.Stop(stopTimeout), os.RemoveAll(p.dir)) }

func (p *Pooler) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.process.Done():
			return errors.New("it ended at once")
		case <-ctx.Done():
			return fmt.Errorf("it accepts no connections: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
