package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
)

// relay forwards TCP connections. It keeps one address for a server that restarts on another port.
type relay struct {
	listener net.Listener

	mu     sync.Mutex
	target string // empty closes every new connection
	open   map[net.Conn]bool
}

func newRelay(ctx context.Context, target string) (*relay, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	r := &relay{listener: listener, target: target, open: map[net.Conn]bool{}}
	go r.serve()
	return r, nil
}

func (r *relay) address() string { return r.listener.Addr().String() }

// connectTo forwards new connections to target. An empty target also closes the open ones.
func (r *relay) connectTo(target string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = target
	if target != "" {
		return
	}
	for c := range r.open {
		_ = c.Close()
	}
}

func (r *relay) serve() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		go r.forward(c)
	}
}

func (r *relay) forward(from net.Conn) {
	r.mu.Lock()
	target := r.target
	r.open[from] = true
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.open, from)
		r.mu.Unlock()
		_ = from.Close()
	}()
	if target == "" {
		return
	}
	to, err := net.Dial("tcp4", target)
	if err != nil {
		return
	}
	defer func() { _ = to.Close() }()
	done := make(chan struct{}, 2)
	go func() { _, _ = io.Copy(to, from); done <- struct{}{} }()
	go func() { _, _ = io.Copy(from, to); done <- struct{}{} }()
	<-done
}
