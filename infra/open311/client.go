package open311

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	userAgent = "open311-conformance/1 (+https://github.com/lafaekstreet/backend)"
	// maxAnswer is how many bytes of an answer are read.
	maxAnswer = 16 << 20
	// maxWait bounds how long a Retry-After is obeyed.
	maxWait = time.Minute
)

// client sends one request after another and keeps every answer.
type client struct {
	http         *http.Client
	base         string
	pause        time.Duration
	jurisdiction string
	sent         int
	answers      []*answer
}

// answer is one answer of the server.
type answer struct {
	request     string // method and address
	format      string // "xml" or "json", as the path asks
	extended    bool   // the request asked for more than the specification has
	status      int
	contentType string
	body        []byte

	root      string // what read is the document of
	read      value
	readError error
}

// get returns the answer to a GET of a path. An answer that was got before is not asked for again.
func (c *client) get(ctx context.Context, path string, params url.Values) (*answer, error) {
	address := c.address(path, params)
	for _, a := range c.answers {
		if a.request == "GET "+address {
			return a, nil
		}
	}
	return c.getAgain(ctx, path, params)
}

// getAgain is get without a look at what was got before.
func (c *client) getAgain(ctx context.Context, path string, params url.Values) (*answer, error) {
	return c.send(ctx, http.MethodGet, c.address(path, params), "", nil)
}

// address returns the absolute address of a path below the endpoint, with its parameters. A path that is an absolute address is kept.
func (c *client) address(path string, params url.Values) string {
	address, all := path, url.Values{}
	if strings.HasPrefix(path, "/") {
		address = c.base + path
	}
	if c.jurisdiction != "" {
		all.Set("jurisdiction_id", c.jurisdiction)
	}
	for name, values := range params {
		all[name] = values
	}
	if len(all) == 0 {
		return address
	}
	return address + "?" + all.Encode()
}

// post sends a form as the specification says.
func (c *client) post(ctx context.Context, path string, form url.Values) (*answer, error) {
	return c.send(ctx, http.MethodPost, c.base+path, "application/x-www-form-urlencoded; charset=utf-8", []byte(c.withJurisdiction(form).Encode()))
}

// postFile sends a multipart form with one file in the field media.
func (c *client) postFile(ctx context.Context, path string, form url.Values, file []byte) (*answer, error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, values := range c.withJurisdiction(form) {
		for _, v := range values {
			if err := w.WriteField(name, v); err != nil {
				return nil, err
			}
		}
	}
	part, err := w.CreateFormFile("media", "picture.jpg")
	if err == nil {
		_, err = part.Write(file)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, err
	}
	return c.send(ctx, http.MethodPost, c.base+path, w.FormDataContentType(), body.Bytes())
}

func (c *client) withJurisdiction(form url.Values) url.Values {
	if c.jurisdiction != "" && !form.Has("jurisdiction_id") {
		form.Set("jurisdiction_id", c.jurisdiction)
	}
	return form
}

// send sends a request. A server that says 429 is asked again after its Retry-After, three times at most.
func (c *client) send(ctx context.Context, method, address, contentType string, body []byte) (*answer, error) {
	for tries := 0; ; tries++ {
		a, wait, err := c.sendOnce(ctx, method, address, contentType, body)
		if err != nil {
			return nil, deviation{method + " " + address, err.Error(), "an answer"}
		}
		if a.status != http.StatusTooManyRequests || tries == 3 {
			c.answers = append(c.answers, a)
			return a, nil
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func (c *client) sendOnce(ctx context.Context, method, address, contentType string, body []byte) (*answer, time.Duration, error) {
	if err := sleep(ctx, c.pause); err != nil {
		return nil, 0, err
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("User-Agent", userAgent)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	c.sent++
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, 0, fmt.Errorf("read answer: %w", err)
	}
	if len(read) > maxAnswer {
		return nil, 0, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	a := &answer{request: method + " " + address, format: formatOf(req.URL.Path), status: resp.StatusCode, contentType: resp.Header.Get("Content-Type"), body: read}
	return a, min(time.Duration(seconds)*time.Second, maxWait), nil
}

func formatOf(path string) string {
	return path[strings.LastIndexByte(path, '.')+1:]
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// deviates returns what is wrong with an answer.
func (a *answer) deviates(expected, met string, args ...any) error {
	return deviation{a.request, fmt.Sprintf(met, args...), expected}
}

// summary is the status of an answer with the beginning of its body, on one line.
func (a *answer) summary() string {
	text := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(string(a.body), "?")), " "))
	if len(text) > 160 {
		text = append(text[:160], '…')
	}
	return fmt.Sprintf("%d %s: %s", a.status, a.contentType, string(text))
}
