// Package requestcost counts what requests cost: bytes on the wire, for data is dear where the app is used, and round trips to
// the database.
package requestcost

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// wire is a client like the app that counts every byte it sends and receives above TCP.
type wire struct {
	base, token string
	client      *http.Client
	in, out     atomic.Int64
}

func newWire(base, token string) *wire {
	w := &wire{base: base, token: token}
	var dialer net.Dialer
	w.client = &http.Client{Transport: &http.Transport{
		DisableCompression: true, // asked for below, so that what is counted is what was sent
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			return &counted{Conn: conn, wire: w}, err
		},
	}}
	return w
}

// counted is a connection that counts.
type counted struct {
	net.Conn
	wire *wire
}

// Read implements net.Conn.
func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.wire.in.Add(int64(n))
	return n, err
}

// Write implements net.Conn.
func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.wire.out.Add(int64(n))
	return n, err
}

// answer is what came back.
type answer struct {
	status int
	etag   string
	body   map[string]any
}

// do sends one request as the app does and reads all of the answer. tag, when not empty, is what it holds already.
func (w *wire) do(ctx context.Context, method, path string, body any, tag string) (answer, error) {
	var sent io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return answer{}, fmt.Errorf("encode: %w", err)
		}
		sent = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, w.base+"/api/v1"+path, sent)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("User-Agent", "Dart/3.5 (dart:io)")
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("Authorization", "Bearer "+w.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
	}
	res, err := w.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	return read(res)
}

func read(res *http.Response) (answer, error) {
	a := answer{status: res.StatusCode, etag: res.Header.Get("ETag")}
	raw, err := io.ReadAll(res.Body)
	if err == nil && res.Header.Get("Content-Encoding") == "gzip" {
		var unpacked *gzip.Reader
		if unpacked, err = gzip.NewReader(bytes.NewReader(raw)); err == nil {
			raw, err = io.ReadAll(unpacked)
		}
	}
	if err != nil {
		return a, fmt.Errorf("read answer: %w", err)
	}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &a.body); err != nil {
			return a, fmt.Errorf("read answer: %w", err)
		}
	}
	return a, nil
}

// take returns what was sent and received since the last call.
func (w *wire) take() (int64, int64) { return w.out.Swap(0), w.in.Swap(0) }
