// Package requestcost counts what requests cost: the bytes that they send and receive, because mobile data is expensive
// where the app is used, and their round trips to the database.
package requestcost

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// counter counts the bytes of a client above TCP.
type counter struct{ received, sent atomic.Int64 }

// newClient sends the headers of the app. Its bytes are counted.
func newClient(url, token string) (apiclient.Client, *counter) {
	n := &counter{}
	var dialer net.Dialer
	transport := &http.Transport{
		DisableCompression: true, // the header asks for gzip; net/http must not decompress
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			return &countedConn{conn, n}, err
		},
	}
	header := http.Header{"User-Agent": {"Dart/3.5 (dart:io)"}, "Accept-Encoding": {"gzip"}}
	return apiclient.Client{URL: url, Token: token, Header: header, HTTP: &http.Client{Transport: transport}}, n
}

// take returns the bytes sent and received since the last call.
func (n *counter) take() (int64, int64) { return n.sent.Swap(0), n.received.Swap(0) }

type countedConn struct {
	net.Conn
	counter *counter
}

// Read implements net.Conn.
func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.counter.received.Add(int64(n))
	return n, err
}

// Write implements net.Conn.
func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.counter.sent.Add(int64(n))
	return n, err
}
