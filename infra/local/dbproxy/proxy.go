// Package dbproxy listens between a client and PostgreSQL and writes down the statements that pass, with their arguments:
// what a request really asks of the database, and in how many round trips. The client connects to the tap instead of
// the server and notices nothing.
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

// Statement is one execution.
type Statement struct {
	SQL string
	// Simple is a statement of the simple protocol, which has no arguments: BEGIN, COMMIT and their like.
	Simple bool
	// Args are as sent, each in the format of its place; nil is NULL.
	Args    [][]byte
	Formats []int16
	Results []int16
}

// Flight is what is sent together: one round trip.
type Flight []Statement

// Tap is a running tap.
type Tap struct {
	listener net.Listener
	upstream string
	url      string

	mu      sync.Mutex
	flights []Flight
}

// Start listens on a free loopback port until ctx ends. The address is a URL without TLS.
func Start(ctx context.Context, address string) (*Tap, error) {
	server, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("tap: the database's address is no URL")
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("tap: %w", err)
	}
	t := &Tap{listener: listener, upstream: server.Host}
	tapped := *server
	tapped.Host = listener.Addr().String()
	t.url = tapped.String()
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	go t.serve()
	return t, nil
}

// URL is the database's address by way of the tap.
func (t *Tap) URL() string { return t.url }

// Take returns what has passed since the last call, in the order it was sent.
func (t *Tap) Take() []Flight {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.flights
	t.flights = nil
	return out
}

func (t *Tap) serve() {
	for {
		client, err := t.listener.Accept()
		if err != nil {
			return
		}
		go t.connection(client)
	}
}

func (t *Tap) connection(client net.Conn) {
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
		pass, err = t.flight(&c, messages)
	}
}

// flight reads messages up to one that the server answers, writes down what they do, and returns their bytes. The
// server sees none of them before: whoever has its answer finds in the tap what was asked.
func (t *Tap) flight(c *connection, messages *pgproto3.Backend) ([]byte, error) {
	var raw []byte
	for {
		message, err := messages.Receive()
		if err != nil {
			return nil, err
		}
		if raw, err = message.Encode(raw); err != nil {
			return nil, err
		}
		if flight := c.read(message); len(flight) > 0 {
			t.mu.Lock()
			t.flights = append(t.flights, flight)
			t.mu.Unlock()
		}
		switch message.(type) {
		case *pgproto3.Parse, *pgproto3.Bind, *pgproto3.Describe, *pgproto3.Execute, *pgproto3.Close:
			continue // a Sync or a Flush is to come
		}
		return raw, nil
	}
}

// connection is what is known of one client's connection.
type connection struct {
	prepared map[string]string // SQL by the name of the prepared statement
	bound    *Statement
	flight   Flight
}

// read takes in one message; it returns a flight that is complete with it.
func (c *connection) read(message pgproto3.FrontendMessage) Flight {
	switch m := message.(type) {
	case *pgproto3.Parse:
		c.prepared[m.Name] = m.Query
	case *pgproto3.Bind:
		s := Statement{SQL: c.prepared[m.PreparedStatement]}
		// The reader's buffers are used again for the next message.
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
			c.flight = append(c.flight, *c.bound)
		}
	case *pgproto3.Query:
		return Flight{{SQL: m.String, Simple: true}}
	case *pgproto3.Sync:
		out := c.flight
		c.flight, c.bound = nil, nil
		return out
	}
	return nil
}
