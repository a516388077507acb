// Package cache runs the cache of a local system: a Valkey or Redis server if one is installed, else a server in this
// process that speaks the same protocol. The cache is empty after a restart.
package cache

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/lafaekstreet/backend/infra/local/loopback"
	"github.com/lafaekstreet/backend/infra/local/subprocess"
)

const (
	startTimeout = 5 * time.Second
	stopTimeout  = 3 * time.Second
)

// Server is a running cache.
type Server struct {
	// Name is shown to people: the program, or "in this process".
	Name    string
	address string
	stop    func() error
}

// Start runs a cache on a free loopback port.
func Start(ctx context.Context) (*Server, error) {
	for _, program := range []string{"valkey-server", "redis-server"} {
		if path, err := exec.LookPath(program); err == nil {
			return startProgram(ctx, program, path)
		}
	}
	return startInProcess()
}

// URL is the address of the cache.
func (s *Server) URL() string { return "redis://" + s.address + "/0" }

// Stop ends the server.
func (s *Server) Stop() error { return s.stop() }

func startProgram(ctx context.Context, name, path string) (*Server, error) {
	port, err := loopback.FreePort()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--save", "", "--appendonly", "no",
		"--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru", "--dir", "/tmp")
	process, err := subprocess.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	stop := func() error { return process.Stop(stopTimeout) }
	if err := awaitReady(ctx, address, process.Done()); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), stop())
	}
	return &Server{Name: name, address: address, stop: stop}, nil
}

func startInProcess() (*Server, error) {
	server := miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start cache: %w", err)
	}
	// Without this call keys expire only when FastForward is called.
	server.ClockTTL(true)
	stop := func() error {
		server.Close()
		return nil
	}
	return &Server{Name: "in this process", address: server.Addr(), stop: stop}, nil
}

func awaitReady(ctx context.Context, address string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ended:
			return errors.New("the server ended at once")
		case <-ctx.Done():
			return fmt.Errorf("the server accepts no connections: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
