// Package gateway stands where API Gateway stands in AWS: it sends each request to the function that has its route and
// holds requests, answers and times to the same limits.
package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/shared/httpapi"
)

// The limits of an HTTP API before a Lambda function.
const (
	MaxBytes = 6 << 20 // of a request's body, and of an answer's
	Timeout  = 30 * time.Second
	// spare is the part of it that a function has left to answer when its work is cut off.
	spare = 20
)

// Function is a route group. *httpapi.Service is one.
type Function interface {
	http.Handler
	Routes() []httpapi.Route
}

// Gateway routes requests to functions.
type Gateway struct {
	mux      *http.ServeMux
	fallback http.Handler // answers what no function has a route for
	timeout  time.Duration
	log      *slog.Logger
}

// New routes to functions, of which there is at least one. Two functions that claim the same route are an error.
func New(log *slog.Logger, functions ...Function) (*Gateway, error) {
	if len(functions) == 0 {
		return nil, errors.New("gateway: no functions")
	}
	g := &Gateway{mux: http.NewServeMux(), fallback: functions[0], timeout: Timeout, log: log}
	for _, function := range functions {
		for _, route := range function.Routes() {
			if err := g.add(route, function); err != nil {
				return nil, err
			}
		}
	}
	return g, nil
}

// add turns the multiplexer's panic over clashing patterns into an error.
func (g *Gateway) add(route httpapi.Route, function http.Handler) (err error) {
	defer func() {
		if clash := recover(); clash != nil {
			err = fmt.Errorf("gateway: %s %s: %v", route.Method, route.Path, clash)
		}
	}()
	path := route.Path
	if strings.HasSuffix(path, "/") {
		path += "{$}" // without it the pattern would take everything below too
	}
	g.mux.Handle(route.Method+" "+path, function)
	return nil
}

// ServeHTTP implements http.Handler.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get(requestID) == "" { // so that the gateway's own refusals have one too
		r.Header.Set(requestID, rand.Text()[:16]) // as long as API Gateway's
	}
	function, ok := g.function(w, r)
	if !ok {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBytes))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			refuse(w, r, http.StatusRequestEntityTooLarge, "request_too_large", "The request is larger than 6 MB.")
		}
		return // else the client is gone
	}
	ctx, cancel := context.WithTimeout(r.Context(), g.timeout)
	defer cancel()
	// As in Lambda, where the function is told to end before the gateway gives it up, and says itself when to come back.
	within, end := context.WithTimeout(ctx, g.timeout-g.timeout/spare)
	defer end()
	inner := r.WithContext(within)
	inner.Body = io.NopCloser(bytes.NewReader(body))
	inner.ContentLength = int64(len(body))
	inner.TransferEncoding = nil
	identify(inner)

	answer := newAnswer()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		g.invoke(function, answer, inner)
	}()
	select {
	case <-answered:
	case <-ctx.Done():
		if r.Context().Err() == nil {
			refuse(w, r, http.StatusGatewayTimeout, "gateway_timeout", "The function did not answer in time.")
		}
		return
	}
	if answer.tooLarge {
		refuse(w, r, http.StatusBadGateway, "answer_too_large", "The answer is larger than 6 MB.")
		return
	}
	answer.copyTo(w)
}

// function picks the function for r, or answers itself.
func (g *Gateway) function(w http.ResponseWriter, r *http.Request) (http.Handler, bool) {
	if asked := r.Header.Get("Access-Control-Request-Method"); r.Method == http.MethodOptions && asked != "" {
		return g.fallback, true // a preflight; every function answers it alike
	}
	if r.Method == http.MethodHead { // no route of an HTTP API takes HEAD, while the multiplexer would give it to GET
		refuseUnknown(http.NewServeMux(), w, r)
		return nil, false
	}
	function, pattern := g.mux.Handler(r)
	if pattern != "" {
		return function, true
	}
	probe := &statusProbe{header: http.Header{}}
	g.mux.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		refuseUnknown(g.mux, w, r)
		return nil, false
	}
	return g.fallback, true
}

// invoke calls the function; a panic costs this request alone.
func (g *Gateway) invoke(function http.Handler, answer *answer, r *http.Request) {
	defer func() {
		if cause := recover(); cause != nil {
			g.log.ErrorContext(r.Context(), "function panicked", "panic", cause, "stack", string(debug.Stack()))
			*answer = *newAnswer()
			refuse(answer, r, http.StatusBadGateway, "function_failed", "The function failed.")
		}
	}()
	function.ServeHTTP(answer, r)
}
