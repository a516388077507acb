// Package apiclient calls the API over HTTP. It is the client of the tests and of the tools: Client answers with errors,
// Tester ends a test instead.
package apiclient

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// Client calls the API as one person. A copy may get another token or other headers.
type Client struct {
	// URL is the address of the system, without a slash at the end.
	URL string
	// Token is sent as a bearer token. Empty sends none.
	Token string
	// Header goes with every request. May be nil.
	Header http.Header
	// HTTP sends the requests. Nil is a client that follows no redirects.
	HTTP *http.Client
}

// Do sends r and reads the whole response. Every status is a response; only a response that could not be read is an
// error.
func (c Client) Do(ctx context.Context, r Request) (Response, error) {
	out := Response{Request: r.String()}
	req, err := c.build(ctx, r)
	if err != nil {
		return out, fmt.Errorf("%s: %w", r, err)
	}
	client := c.HTTP
	if client == nil {
		client = &http.Client{CheckRedirect: NoRedirect}
	}
	res, err := client.Do(req)
	if err != nil {
		return out, err // it names method and address
	}
	defer func() { _ = res.Body.Close() }()
	out.Status, out.Header = res.StatusCode, res.Header
	if out.Body, err = io.ReadAll(res.Body); err != nil {
		return out, fmt.Errorf("%s: %w", r, err)
	}
	return out, nil
}

// Call is Do for a request that must succeed. It decodes the JSON of the response into out, unless that is nil. A status
// of 300 or more is a *StatusError.
func (c Client) Call(ctx context.Context, r Request, out any) error {
	res, err := c.Do(ctx, r)
	if err != nil {
		return err
	}
	if res.Status >= http.StatusMultipleChoices {
		return &StatusError{Response: res}
	}
	if out == nil {
		return nil
	}
	return res.Decode(out)
}

func (c Client) build(ctx context.Context, r Request) (*http.Request, error) {
	body, contentType, err := r.encode()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, cmp.Or(r.Method, http.MethodGet), c.URL+r.Target(), body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if token := cmp.Or(r.Token, c.Token); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	maps.Copy(req.Header, c.Header)
	maps.Copy(req.Header, r.Header)
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	return req, nil
}

// NoRedirect is a CheckRedirect that returns a redirect as the response.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// StatusError is a response whose status is 300 or more.
type StatusError struct{ Response Response }

// Error names the request, the status, and the code and detail of a problem document.
func (e *StatusError) Error() string {
	o := e.Response.Object()
	return strings.TrimSpace(fmt.Sprintf("%s: %d %s %s", e.Response.Request, e.Response.Status, o.Text("code"), o.Text("detail")))
}

// Decode decodes the JSON of the body into out.
func (r Response) Decode(out any) error {
	raw, err := r.Plain()
	if err == nil {
		err = json.Unmarshal(raw, out)
	}
	if err != nil {
		return fmt.Errorf("%s: read the response: %w", r.Request, err)
	}
	return nil
}

// Request is one call.
type Request struct {
	// Method is an HTTP method; empty is GET.
	Method string
	// Path is below /api/v1, or from the root when it starts with "//".
	Path string
	// Token replaces the client's token unless it is empty.
	Token string
	// Body is sent according to its type. nil: no body. []byte: unchanged, as JSON. url.Values: as a form. Raw and Form: see
	// there. Any other value is encoded as JSON.
	Body any
	// Header is added to the request, by canonical names. "Host" replaces the host.
	Header http.Header
}

// Raw is a body of any media type.
type Raw struct {
	ContentType string
	Body        []byte
}

// Form is a multipart form with at most one file.
type Form struct {
	Fields map[string]string
	// FileField is the name of the file's field. Empty sends no file.
	FileField, FileName string
	File                []byte
}

// String is the method and the path.
func (r Request) String() string {
	return cmp.Or(r.Method, http.MethodGet) + " " + r.Path
}

// Target is the path and the query from the root.
func (r Request) Target() string {
	if rest, ok := strings.CutPrefix(r.Path, "//"); ok {
		return "/" + rest
	}
	return "/api/v1" + r.Path
}

// encode returns the body and its media type, which is empty when there is no body.
func (r Request) encode() (io.Reader, string, error) {
	switch b := r.Body.(type) {
	case nil:
		return nil, "", nil
	case []byte:
		return bytes.NewReader(b), "application/json", nil
	case url.Values:
		return strings.NewReader(b.Encode()), "application/x-www-form-urlencoded", nil
	case Raw:
		return bytes.NewReader(b.Body), b.ContentType, nil
	case Form:
		return b.encode()
	}
	raw, err := json.Marshal(r.Body)
	return bytes.NewReader(raw), "application/json", err
}

func (f Form) encode() (io.Reader, string, error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range f.Fields {
		if err := w.WriteField(name, value); err != nil {
			return nil, "", err
		}
	}
	if f.FileField != "" {
		part, err := w.CreateFormFile(f.FileField, f.FileName)
		if err == nil {
			_, err = part.Write(f.File)
		}
		if err != nil {
			return nil, "", err
		}
	}
	return &body, w.FormDataContentType(), w.Close()
}
