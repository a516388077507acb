// Package system runs the whole backend on one machine: PostgreSQL, the cache, stand-ins for the services that the
// deployed system calls, every HTTP function behind a gateway, and every worker on its queue. Package testenv is the small
// system of one test.
//
// The functions are the deployed ones and read the same configuration. Only the addresses in it are local. A service that
// the environment already names is used instead of a stand-in.
package system

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/lafaekstreet/backend/infra/local/console"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/gateway"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

// defaultPort is where the API answers unless PORT says otherwise.
const defaultPort = 8000

// Options configure Start.
type Options struct {
	// Dir keeps everything between runs. One process at a time may use it.
	Dir string
	// Env has settings of the functions that replace those of the system.
	Env config.Env
	// Out receives lines for people. Log receives the log of the local system itself.
	Out, Log io.Writer
	// Watch, if it is set, stands between the gateway and each HTTP function, in tests.
	Watch func(*httpapi.Service) gateway.Function
}

// System is a running system.
type System struct {
	options Options
	env     config.Env // the configuration of every function
	logins  bool       // each function signs in to the database with a login of its own
	faults  *faults.Set
	log     *slog.Logger
	stand   standIns
	failed  chan error

	listener  net.Listener // of the API
	queueARNs map[catalog.QueueName]string
	parts     []part // in the order of starting

	stops []stop // in the order of starting
	once  sync.Once
}

// part is a line of Describe.
type part struct{ name, what string }

type stop struct {
	name string
	run  func() error
}

// Start starts the system and returns when the API answers. If it fails, nothing is left running. The error says in one
// line what is wrong and what to do.
func Start(ctx context.Context, options Options) (*System, error) {
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("find directory %s: %w", options.Dir, err)
	}
	options.Dir = dir
	s := &System{options: options, env: maps.Clone(options.Env), faults: faults.NewSet(), failed: make(chan error, 1),
		log: telemetry.NewLogger(options.Log, slog.LevelInfo).With("function", "local")}
	for _, step := range []func(context.Context) error{
		s.lock, s.openAPI, s.startDatabase, s.startCache, s.startStandIns, s.createResources, s.migrate, s.writeSettings, s.startFunctions,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, s.Stop())
		}
	}
	return s, nil
}

// Failed receives an error when a part of the system has ended without a call of Stop. The system then no longer works.
func (s *System) Failed() <-chan error { return s.failed }

// Stop ends everything in the reverse order of starting: the API accepts nothing new, running work is finished, then the
// services that it used are stopped.
func (s *System) Stop() error {
	var err error
	s.once.Do(func() {
		for i := len(s.stops) - 1; i >= 0; i-- {
			if e := s.stops[i].run(); e != nil {
				err = errors.Join(err, fmt.Errorf("stop %s: %w", s.stops[i].name, e))
			}
		}
	})
	return err
}

func (s *System) onStop(name string, run func() error) {
	s.stops = append(s.stops, stop{name, run})
}

// Describe prints the parts of the system and their addresses.
func (s *System) Describe(w io.Writer) {
	fmt.Fprintf(w, "  %-10s %s (documentation at /docs)\n", "API", s.URL())
	fmt.Fprintf(w, "  %-10s %s%s\n", "console", s.URL(), console.Path)
	for _, p := range s.parts {
		fmt.Fprintf(w, "  %-10s %s\n", p.name, p.what)
	}
	fmt.Fprintf(w, "  %-10s %s\n", "state", s.options.Dir)
}

func (s *System) runs(name, what string) {
	s.parts = append(s.parts, part{name, what})
}

func (s *System) fail(err error) {
	select {
	case s.failed <- err:
	default: // only the first error is reported
	}
}

func (s *System) dir(name string) string { return filepath.Join(s.options.Dir, name) }

// set configures the functions, unless the environment has the setting.
func (s *System) set(name, value string) {
	if s.env[name] == "" {
		s.env[name] = value
	}
}

// port is where the API answers.
func (s *System) port() (int, error) {
	text := s.options.Env["PORT"]
	if text == "" {
		return defaultPort, nil
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return 0, fmt.Errorf("PORT is %q, but must be a number from 0 to 65535", text)
	}
	return port, nil
}

// address is a loopback address for a stand-in. If its port is free it is the same at every start, so presigned URLs stay
// valid. It is empty, for any free port, if the port is taken.
func (s *System) address(offset int) string {
	port, err := s.port()
	if err != nil || port == 0 || port+offset > 65535 {
		return ""
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port+offset))
	listener, err := net.Listen("tcp4", address)
	if err != nil || listener.Close() != nil {
		return ""
	}
	return address
}

// withTimeout limits a step that calls a part of the system which was just started.
func withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 30*time.Second)
}

func ensureDir(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	return nil
}
