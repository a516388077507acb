// Package loopback serves stand-ins where nothing but this machine reaches them.
package loopback

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Listen opens addr, such as "127.0.0.1:4566"; empty is a free port. It refuses
// any address another machine could reach.
func Listen(addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("loopback: address %q: %w", addr, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("loopback: %q is no loopback address", addr)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("loopback: %w", err)
	}
	return listener, nil
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

// URL is the base of the server's addresses, such as "http://127.0.0.1:4566".
func (s *Server) URL() string { return URL(s.listener) }

// URL is the base of the addresses a server on listener has.
func URL(listener net.Listener) string { return "http://" + listener.Addr().String() }

// Close stops serving and cuts off calls under way, as a crash would.
func (s *Server) Close() error {
	var err error
	s.closing.Do(func() {
		err = s.http.Close()
		<-s.done
	})
	return err
}
