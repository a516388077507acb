// Package loopback serves HTTP on the loopback interface, which other machines cannot reach.
package loopback

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Listen listens on addr, such as "127.0.0.1:4566"; an empty addr is a free port. It refuses addresses that other machines
// can reach.
func Listen(addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("loopback: address %q: %w", addr, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("loopback: %q is not a loopback address", addr)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("loopback: %w", err)
	}
	return listener, nil
}

// FreePort finds a port that nobody listens on now, for a program that does not choose one itself.
func FreePort() (int, error) {
	listener, err := Listen("")
	if err != nil {
		return 0, err
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	if !ok {
		return 0, errors.New("find a free port: the listener has no TCP address")
	}
	return address.Port, nil
}

// Server is an HTTP server on a loopback port.
type Server struct {
	listener net.Listener
	http     *http.Server
	done     chan struct{}
	closing  sync.Once
}

// Start serves h on listener until Close.
func Start(listener net.Listener, h http.Handler) *Server {
	s := &Server{listener: listener, http: &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(listener)
	}()
	return s
}

// URL is the address of the server, such as "http://127.0.0.1:4566".
func (s *Server) URL() string { return URL(s.listener) }

// URL is the address of a server on listener, such as "http://127.0.0.1:4566".
func URL(listener net.Listener) string { return "http://" + listener.Addr().String() }

// Close stops serving and closes open connections at once, as a crash would.
func (s *Server) Close() error {
	var err error
	s.closing.Do(func() {
		err = s.http.Close()
		<-s.done
	})
	return err
}
