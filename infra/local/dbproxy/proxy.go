// Package dbproxy is a proxy for PostgreSQL that records the statements that pass, with their arguments. It shows what a
// request asks of the database, and in how many round trips. A client connects to the proxy instead of the server.
package dbproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Statement is one execution of a statement.
type Statement struct {
	SQL string
	// Simple is true for the simple protocol, which has no arguments: BEGIN, COMMIT and similar.
	Simple bool
	// Args are as sent, each in the format at its index. Nil is NULL.
	Args    [][]byte
	Formats []int16
	Results []int16
}

// RoundTrip is the statements that a client sends together.
type RoundTrip []Statement

// Proxy is a running proxy.
type Proxy struct {
	listener net.Listener
	upstream string
	url      string

	mu         sync.Mutex
	roundTrips []RoundTrip
}

// Start listens on a free loopback port until ctx ends. The address is a URL without TLS.
func Start(ctx context.Context, address string) (*Proxy, error) {
	server, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("tap: the database's address is no URL")
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("tap: %w", err)
	}
	t := &Proxy{listener: listener, upstream: server.Host}
	tapped := *server
	tapped.Host = listener.Addr().String()
	t.url = tapped.String()
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	go t.serve()
	return t, nil
}

// URL is the address of the database through the proxy.
func (t *Proxy) URL() string { return t.url }

// Take returns the round trips since the last call, in the order they were sent.
func (t *Proxy) Take() []RoundTrip {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.roundTrips
	t.roundTrips = nil
	return out
}

func (t *Proxy) serve() {
	for {
		client, err := t.listener.Accept()
		if err != nil {
			return
		}
		go t.connection(client)
	}
}

func (t *Proxy) connection(client net.Conn) {
	defer client.Close()
	var dial net.Dialer
	server, err := dial.DialContext(context.Background(), "tcp", t.upstream)
	if err != nil {
		return // the client sees its connection end
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	messages := pgproto3.NewBackend(client, io.Discard)
	startup, err := messages.ReceiveStartupMessage()
	if err != nil {
		return
	}
	pass, err := startup.Encode(nil)
	c := connection{prepared: map[string]string{}}
	for err == nil {
		if _, err = server.Write(pass); err != nil {
			return
		}
		pass, err = t.roundTrip(&c, messages)
	}
}

// roundTrip reads messages up to one that the server answers, records their statements and returns their bytes. The
// server receives them afterwards: when a client has its answer, the statements are recorded.
func (t *Proxy) roundTrip(c *connection, messages *pgproto3.Backend) ([]byte, error) {
	var raw []byte
	for {
		message, err := messages.Receive()
		if err != nil {
			return nil, err
		}
		if raw, err = message.Encode(raw); err != nil {
			return nil, err
		}
		if roundTrip := c.read(message); len(roundTrip) > 0 {
			t.mu.Lock()
			t.roundTrips = append(t.roundTrips, roundTrip)
			t.mu.Unlock()
		}
		switch message.(type) {
		case *pgproto3.Parse, *pgproto3.Bind, *pgproto3.Describe, *pgproto3.Execute, *pgproto3.Close:
			continue // a Sync or a Flush is to come
		}
		return raw, nil
	}
}

// connection is the state of one client connection.
type connection struct {
	prepared  map[string]string // SQL by the name of the prepared statement
	bound     *Statement
	roundTrip RoundTrip
}

// read reads one message. It returns a round trip when the message completes one.
func (c *connection) read(message pgproto3.FrontendMessage) RoundTrip {
	switch m := message.(type) {
	case *pgproto3.Parse:
		c.prepared[m.Name] = m.Query
	case *pgproto3.Bind:
		s := Statement{SQL: c.prepared[m.PreparedStatement]}
		// The reader reuses its buffers for the next message.
		for _, arg := range m.Parameters {
			if arg != nil {
				arg = append([]byte{}, arg...)
			}
			s.Args = append(s.Args, arg)
		}
		s.Formats = append(s.Formats, m.ParameterFormatCodes...)
		s.Results = append(s.Results, m.ResultFormatCodes...)
		c.bound = &s
	case *pgproto3.Execute:
		if c.bound != nil {
			c.roundTrip = append(c.roundTrip, *c.bound)
		}
	case *pgproto3.Query:
		return RoundTrip{{SQL: m.String, Simple: true}}
	case *pgproto3.Sync:
		out := c.roundTrip
		c.roundTrip, c.bound = nil, nil
		return out
	}
	return nil
}
