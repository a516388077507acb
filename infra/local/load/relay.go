package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
)

// relay keeps one address for a server that comes back on another port.
type relay struct {
	listener net.Listener

	mu     sync.Mutex
	target string // empty: connections are refused by closing them
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

// turn sends new connections to target, and cuts those there are when it is empty.
func (r *relay) turn(target string) {
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
		go r.carry(c)
	}
}

func (r *relay) carry(from net.Conn) {
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
