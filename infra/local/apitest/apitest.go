// Package apitest is how tests of a route group speak to it: over HTTP, as
// somebody, expecting something.
package apitest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// API is a served group.
type API struct {
	t      testing.TB
	server *httptest.Server
}

// Serve serves h until the test ends.
func Serve(t testing.TB, h http.Handler) *API {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	server.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &API{t: t, server: server}
}

// Answer is what came back.
type Answer struct {
	t      testing.TB
	Status int
	Header http.Header
	Raw    string
	// Body is the answer's object; nil for any other JSON.
	Body map[string]any
}

// Do sends a request to a path behind /api/v1, with a bearer token unless that
// is empty and a JSON body unless that is nil.
func (a *API) Do(method, path, token string, body any, header ...string) Answer {
	a.t.Helper()
	var sent io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			a.t.Fatal(err)
		}
		sent = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.server.URL+"/api/v1"+path, sent)
	if err != nil {
		a.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := a.server.Client().Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	out := Answer{t: a.t, Status: res.StatusCode, Header: res.Header, Raw: string(raw)}
	_ = json.Unmarshal(raw, &out.Body) // not every answer is an object
	return out
}

// Code is the machine word of an error.
func (a Answer) Code() string { return a.Text("code") }

// Text is a member that is a text.
func (a Answer) Text(name string) string {
	v, _ := a.Body[name].(string)
	return v
}

// Items are the objects of a list in an envelope.
func (a Answer) Items() []map[string]any {
	list, _ := a.Body["items"].([]any)
	var out []map[string]any
	for _, item := range list {
		if object, ok := item.(map[string]any); ok {
			out = append(out, object)
		}
	}
	return out
}

// Expect ends the test unless the answer has the status and, when given, the code.
func (a Answer) Expect(status int, code string) Answer {
	a.t.Helper()
	if a.Status != status || code != "" && a.Code() != code {
		a.t.Fatalf("got %d %s, want %d %s: %s", a.Status, a.Code(), status, code, a.Raw)
	}
	return a
}
