package simulation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"strconv"
	"time"
)

// client is one person's phone.
type client struct {
	base, token string
	id          string
	http        *http.Client
	tally       *tally
	patience    time.Duration // with one attempt
}

// request is something a person wants done, sent until it is known to be.
type request struct {
	kind         string // what it is counted as
	method, path string
	contentType  string
	body         []byte
	key          string // Idempotency-Key; empty for none
	// impatient hangs up on the first attempt before the answer comes.
	impatient bool
}

type answer struct {
	status int
	body   map[string]any
	raw    []byte
}

func (a answer) text(name string) string {
	s, _ := a.body[name].(string)
	return s
}

func asJSON(kind, method, path string, body any) request {
	raw, err := json.Marshal(body)
	if err != nil {
		raw = nil // bodies here are maps of plain values, which encode
	}
	return request{kind: kind, method: method, path: path, contentType: "application/json", body: raw}
}

func asForm(kind, path string, file []byte) (request, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "photo.jpg")
	if err == nil {
		_, err = part.Write(file)
	}
	if err = errors.Join(err, form.Close()); err != nil {
		return request{}, err
	}
	return request{kind: kind, method: http.MethodPost, path: path, contentType: form.FormDataContentType(), body: body.Bytes()}, nil
}

// attemptTimeout is how long an app waits for an answer: longer than the gateway.
const attemptTimeout = 35 * time.Second

// errNoAnswer is a 5xx that does not say when to come back.
var errNoAnswer = errors.New("an answer that nobody should get")

// persist sends r until an answer is final: an old phone's app does the same. It ends early only with ctx, and with an
// answer that nobody should get.
func (c *client) persist(ctx context.Context, r request) (answer, error) {
	wait := 200 * time.Millisecond
	for attempt := 0; ; attempt++ {
		a, retryAfter, err := c.attempt(ctx, r, attempt == 0 && r.impatient)
		running := a.status == http.StatusConflict && a.text("code") == "request_in_progress"
		if err == nil && a.status < 500 && a.status != http.StatusTooManyRequests && !running {
			return a, nil
		}
		if err == nil && a.status >= 500 && (a.status != http.StatusServiceUnavailable || retryAfter == 0) {
			return answer{}, errNoAnswer // the tally has it
		}
		if retryAfter > 0 {
			wait = min(retryAfter, 3*time.Second)
		}
		select {
		case <-ctx.Done():
			return answer{}, ctx.Err()
		case <-time.After(wait + rand.N(wait)):
		}
		wait = min(2*wait, 3*time.Second)
	}
}

// attempt sends r once and counts what came of it.
func (c *client) attempt(ctx context.Context, r request, hangUp bool) (answer, time.Duration, error) {
	patience := c.patience
	if hangUp {
		patience = rand.N(40 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, bytes.NewReader(r.body))
	if err != nil {
		return answer{}, 0, err
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	began := time.Now()
	res, err := c.http.Do(req)
	if err != nil {
		c.tally.lost(r.kind, hangUp, c.patience, err)
		return answer{}, 0, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		c.tally.lost(r.kind, hangUp, c.patience, err)
		return answer{}, 0, err
	}
	a := answer{status: res.StatusCode, raw: raw}
	_ = json.Unmarshal(raw, &a.body) // a list or a page is no object
	seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
	c.tally.answered(r.kind, a, seconds > 0, time.Since(began))
	return a, time.Duration(seconds) * time.Second, nil
}

// must is persist for what has to succeed.
func (c *client) must(ctx context.Context, r request, statuses ...int) (answer, error) {
	a, err := c.persist(ctx, r)
	if err != nil {
		return a, err
	}
	for _, s := range statuses {
		if a.status == s {
			return a, nil
		}
	}
	return a, fmt.Errorf("%s %s: %d %.300s", r.method, r.path, a.status, a.raw)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
