package world

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/lafaekstreet/backend/infra/local/identitytest"
)

// Client calls the system as one person.
type Client struct {
	identitytest.Person
	world  *World
	header http.Header
}

// With is the client with one more header on every request.
func (c *Client) With(name, value string) *Client {
	out := *c
	out.header = maps.Clone(c.header)
	if out.header == nil {
		out.header = make(http.Header)
	}
	out.header.Set(name, value)
	return &out
}

// WithToken is the client as somebody who signed in otherwise.
func (c *Client) WithToken(token string) *Client {
	out := *c
	out.Token = token
	return &out
}

// Answer is what came back.
type Answer struct {
	world  *World
	what   string
	Status int
	Header http.Header
	Body   []byte
}

// Get reads a path below /api/v1, or from the root when it starts with "//".
func (c *Client) Get(path string) Answer { return c.Do(http.MethodGet, path, nil) }

// Post sends v as JSON.
func (c *Client) Post(path string, v any) Answer { return c.Do(http.MethodPost, path, v) }

// Patch sends v as JSON.
func (c *Client) Patch(path string, v any) Answer { return c.Do(http.MethodPatch, path, v) }

// Delete removes what is at path.
func (c *Client) Delete(path string) Answer { return c.Do(http.MethodDelete, path, nil) }

// Do sends v, a []byte as it is and anything else as JSON; nil is no body.
func (c *Client) Do(method, path string, v any) Answer {
	c.world.Helper()
	var body io.Reader
	contentType := ""
	if raw, ok := v.([]byte); ok {
		body, contentType = bytes.NewReader(raw), "application/json"
	} else if v != nil {
		raw, err := json.Marshal(v)
		if err != nil {
			c.world.Fatal(err)
		}
		body, contentType = bytes.NewReader(raw), "application/json"
	}
	return c.send(method, path, contentType, body)
}

// Form sends fields and a file as a multipart form.
func (c *Client) Form(path string, fields map[string]string, part, filename string, file []byte) Answer {
	c.world.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range fields {
		if err := form.WriteField(name, value); err != nil {
			c.world.Fatal(err)
		}
	}
	if part != "" {
		w, err := form.CreateFormFile(part, filename)
		if err != nil {
			c.world.Fatal(err)
		}
		if _, err := w.Write(file); err != nil {
			c.world.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		c.world.Fatal(err)
	}
	return c.send(http.MethodPost, path, form.FormDataContentType(), &body)
}

func (c *Client) send(method, path, contentType string, body io.Reader) Answer {
	c.world.Helper()
	url := c.world.URL + "/api/v1" + path
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		url = c.world.URL + "/" + rest
	}
	req, err := http.NewRequestWithContext(c.world.Context(), method, url, body)
	if err != nil {
		c.world.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	maps.Copy(req.Header, c.header)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		c.world.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		c.world.Fatal(err)
	}
	return Answer{world: c.world, what: method + " " + path, Status: res.StatusCode, Header: res.Header, Body: raw}
}

// Want ends the test unless the status is as expected.
func (a Answer) Want(status int) Answer {
	a.world.Helper()
	if a.Status != status {
		a.world.Fatalf("%s: status %d, want %d\n%s", a.what, a.Status, status, a.Body)
	}
	return a
}

// Code is the machine word of a problem document.
func (a Answer) Code() string { return a.Object().Text("code") }

// Object is the body as a JSON object.
func (a Answer) Object() Object {
	a.world.Helper()
	var o map[string]any
	if err := json.Unmarshal(a.Body, &o); err != nil {
		a.world.Fatalf("%s: no JSON object: %v\n%s", a.what, err, a.Body)
	}
	return Object{a.world, o}
}

// List is the body as a JSON array of objects.
func (a Answer) List() []Object {
	a.world.Helper()
	var list []map[string]any
	if err := json.Unmarshal(a.Body, &list); err != nil {
		a.world.Fatalf("%s: no JSON array: %v\n%s", a.what, err, a.Body)
	}
	return objects(a.world, list)
}

// Object is a JSON object of an answer.
type Object struct {
	world  *World
	Values map[string]any
}

// At is the value at a path of members, such as "ai.status"; nil where there is none.
func (o Object) At(path string) any {
	var v any = o.Values
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// Text is the string at path.
func (o Object) Text(path string) string {
	s, _ := o.At(path).(string)
	return s
}

// Number is the number at path.
func (o Object) Number(path string) float64 {
	n, _ := o.At(path).(float64)
	return n
}

// Items are the objects of the array at path.
func (o Object) Items(path string) []Object {
	list, _ := o.At(path).([]any)
	var out []map[string]any
	for _, v := range list {
		if m, ok := v.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return objects(o.world, out)
}

func objects(w *World, list []map[string]any) []Object {
	out := make([]Object, len(list))
	for i, m := range list {
		out[i] = Object{w, m}
	}
	return out
}
