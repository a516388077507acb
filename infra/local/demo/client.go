package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// client speaks JSON with the API.
type client struct {
	base  string
	token string
	http  *http.Client
}

func newClient(base string) *client {
	return &client{base: strings.TrimRight(base, "/"), http: &http.Client{Timeout: 30 * time.Second}}
}

// call sends body (nil for none) and decodes a 2xx answer into out (nil for none).
func (c *client) call(ctx context.Context, method, path string, body, out any) error {
	var payload io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, payload)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return c.send(req, out)
}

func (c *client) send(req *http.Request, out any) error {
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		var p struct{ Code, Detail string }
		_ = json.Unmarshal(raw, &p) // an answer that is no problem document is shown by its status alone
		return &refusal{status: res.StatusCode, code: p.Code, detail: p.Detail, what: req.Method + " " + req.URL.Path}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// refusal is an answer that is not a success.
type refusal struct {
	status             int
	code, detail, what string
}

// Error implements error.
func (r *refusal) Error() string {
	return fmt.Sprintf("%s: %d %s %s", r.what, r.status, r.code, r.detail)
}
