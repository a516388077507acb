package apiclient

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Tester is a Client for tests. A call without a response ends the test.
type Tester struct {
	Client
	t testing.TB
}

// NewTester returns a Tester that calls the system at url without a token.
func NewTester(t testing.TB, url string) Tester { return Tester{Client{URL: url}, t} }

// Serve serves h until the test ends. It returns a Tester that calls h without a token.
func Serve(t testing.TB, h http.Handler) Tester {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return NewTester(t, server.URL)
}

// With returns a Tester that sends one more header with every request.
func (c Tester) With(name, value string) Tester {
	if c.Header = c.Header.Clone(); c.Header == nil {
		c.Header = make(http.Header)
	}
	c.Header.Set(name, value)
	return c
}

// WithToken returns a Tester that sends this token.
func (c Tester) WithToken(token string) Tester {
	c.Token = token
	return c
}

// Get reads a path. See Request for paths and bodies.
func (c Tester) Get(path string) TestResponse { c.t.Helper(); return c.Do(http.MethodGet, path, nil) }

// Post sends a body.
func (c Tester) Post(path string, body any) TestResponse {
	c.t.Helper()
	return c.Do(http.MethodPost, path, body)
}

// Patch sends a body.
func (c Tester) Patch(path string, body any) TestResponse {
	c.t.Helper()
	return c.Do(http.MethodPatch, path, body)
}

// Delete sends no body.
func (c Tester) Delete(path string) TestResponse {
	c.t.Helper()
	return c.Do(http.MethodDelete, path, nil)
}

// Do sends a request by any method.
func (c Tester) Do(method, path string, body any) TestResponse {
	c.t.Helper()
	return c.Send(c.t.Context(), Request{Method: method, Path: path, Body: body})
}

// Send sends a request.
func (c Tester) Send(ctx context.Context, r Request) TestResponse {
	c.t.Helper()
	res, err := c.Client.Do(ctx, r)
	if err != nil {
		c.t.Fatal(err)
	}
	return TestResponse{res, c.t}
}

// TestResponse is a Response for tests. A body of another kind than asked for ends the test.
type TestResponse struct {
	Response
	t testing.TB
}

// Want ends the test unless the status is this one.
func (r TestResponse) Want(status int) TestResponse {
	r.t.Helper()
	if r.Status != status {
		r.t.Fatalf("%s: status %d, want %d\n%.2000s", r.Request, r.Status, status, r.Body)
	}
	return r
}

// WantProblem ends the test unless the response is a problem document of this status and code.
func (r TestResponse) WantProblem(status int, code string) TestResponse {
	r.t.Helper()
	if r.Want(status).Code() != code {
		r.t.Fatalf("%s: code %q, want %q\n%.2000s", r.Request, r.Code(), code, r.Body)
	}
	return r
}

// Object is the body as a JSON object.
func (r TestResponse) Object() Object {
	r.t.Helper()
	var o Object
	if err := r.Decode(&o); err != nil {
		r.t.Fatalf("%v\n%.2000s", err, r.Body)
	}
	return o
}

// List is the body as a JSON array of objects.
func (r TestResponse) List() []Object {
	r.t.Helper()
	var list []Object
	if err := r.Decode(&list); err != nil {
		r.t.Fatalf("%v\n%.2000s", err, r.Body)
	}
	return list
}
