package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// user is a person with the app: it repeats a request until it knows the result.
type user struct {
	apiclient.Client
	id       string
	email    string // empty where the simulation did not make the account
	outcomes *outcomes
	timeout  time.Duration // of one attempt

	riding  sync.Mutex // locked while the journey is made
	journey *acceptedJourney
}

// request is one thing that a user wants done.
type request struct {
	apiclient.Request
	kind string // what it is counted as
	// aborted closes the first attempt before its response.
	aborted bool
}

func post(kind, path string, body any) request {
	return request{kind: kind, Request: apiclient.Request{Method: http.MethodPost, Path: path, Body: body}}
}

func get(kind, path string) request {
	return request{kind: kind, Request: apiclient.Request{Path: path}}
}

// withKey returns the request with an Idempotency-Key.
func (r request) withKey(key string) request {
	r.Header = http.Header{"Idempotency-Key": {key}}
	return r
}

// attemptTimeout is how long the app waits for a response. It is longer than the gateway's limit.
const attemptTimeout = 35 * time.Second

// maxWait bounds the wait between two attempts.
const maxWait = 3 * time.Second

// errServer is a 5xx without Retry-After. The outcomes already hold it.
var errServer = errors.New("the server answered 5xx without Retry-After")

// persist repeats r until its response is final, as the app does. It fails only when ctx ends, or with errServer.
func (u *user) persist(ctx context.Context, r request) (apiclient.Response, error) {
	wait := 200 * time.Millisecond
	for attempt := 0; ; attempt++ {
		a, retryAfter, err := u.attempt(ctx, r, attempt == 0 && r.aborted)
		running := a.Status == http.StatusConflict && a.Code() == "request_in_progress"
		if err == nil && a.Status < 500 && a.Status != http.StatusTooManyRequests && !running {
			return a, nil
		}
		if err == nil && a.Status >= 500 && (a.Status != http.StatusServiceUnavailable || retryAfter == 0) {
			return a, errServer
		}
		if retryAfter > 0 {
			wait = min(retryAfter, maxWait)
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(wait + rand.N(wait)):
		}
		wait = min(2*wait, maxWait)
	}
}

// attempt sends r once and counts the outcome. It returns the wait that the response asks for.
func (u *user) attempt(ctx context.Context, r request, abort bool) (apiclient.Response, time.Duration, error) {
	timeout := u.timeout
	if abort {
		timeout = rand.N(40 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	began := time.Now()
	a, err := u.Do(ctx, r.Request)
	if err != nil {
		u.outcomes.failed(r.kind, abort, u.timeout, err)
		return a, 0, err
	}
	seconds, _ := strconv.Atoi(a.Header.Get("Retry-After"))
	u.outcomes.answered(r.kind, a, seconds > 0, time.Since(began))
	return a, time.Duration(seconds) * time.Second, nil
}

// must is persist for a request that must get one of these statuses.
func (u *user) must(ctx context.Context, r request, statuses ...int) (apiclient.Response, error) {
	a, err := u.persist(ctx, r)
	if err == nil && !slices.Contains(statuses, a.Status) {
		err = fmt.Errorf("%s: %d %.300s", r.Request, a.Status, a.Body)
	}
	return a, err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
