package testenv

import (
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/identitytest"
)

// Client calls the system as one person.
type Client struct {
	identitytest.Person
	apiclient.Tester
}

// With is the client with one more header on every request.
func (c *Client) With(name, value string) *Client {
	return &Client{c.Person, c.Tester.With(name, value)}
}

// WithToken is the client with another access token.
func (c *Client) WithToken(token string) *Client {
	out := &Client{c.Person, c.Tester.WithToken(token)}
	out.Person.Token = token
	return out
}

// Form sends fields and a file as a multipart form.
func (c *Client) Form(path string, fields map[string]string, part, filename string, file []byte) apiclient.TestResponse {
	return c.Post(path, apiclient.Form{Fields: fields, FileField: part, FileName: filename, File: file})
}
