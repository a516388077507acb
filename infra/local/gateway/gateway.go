// Package gateway takes the place of API Gateway on one machine: it sends each request to the function that has its route,
// and applies the same limits to the size of requests and answers and to the time.
package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// The limits of an HTTP API before a Lambda function.
const (
	MaxBytes = 6 << 20 // of the body of a request, and of an answer
	// MaxHeaderBytes is for the request line and the values of the headers together.
	MaxHeaderBytes = 10_240
	// spare is the part of a timeout, 1/spare, in which a function can still answer after its context has ended.
	spare = 20
)

// Function is an HTTP function. *httpapi.Service is one.
type Function interface {
	http.Handler
	// Name is the function's name in the catalogue.
	Name() string
}

// limited is a function with a timeout of its own.
type limited struct {
	Function
	timeout time.Duration
}

// WithTimeout gives a function the timeout that it has in Lambda. Without it the gateway's is the only one.
func WithTimeout(f Function, timeout time.Duration) Function { return limited{f, timeout} }

// Gateway routes requests to functions, by the routes of the catalogue.
type Gateway struct {
	router    *Router
	functions map[string]Function // by route key
	timeout   time.Duration
	log       *slog.Logger
}

// New routes to functions. Where the catalogue's fallback is not one of them, the first answers requests that no route matches.
// No function at all, and two functions with one name, are errors.
func New(log *slog.Logger, functions ...Function) (*Gateway, error) {
	if len(functions) == 0 {
		return nil, errors.New("gateway: no functions")
	}
	named := make(map[catalog.FunctionName]Function)
	for _, f := range functions {
		if name := catalog.FunctionName(f.Name()); named[name] != nil {
			return nil, fmt.Errorf("gateway: two functions are named %s", name)
		} else {
			named[name] = f
		}
	}
	if named[catalog.Fallback] == nil {
		named[catalog.Fallback] = functions[0]
	}
	g := &Gateway{functions: make(map[string]Function), timeout: catalog.GatewayTimeout, log: log}
	var keys []string
	for _, r := range catalog.GatewayRoutes() {
		if f := named[r.Function]; f != nil {
			g.functions[r.Key] = f
			keys = append(keys, r.Key)
		}
	}
	var err error
	g.router, err = NewRouter(keys)
	return g, err
}

// ServeHTTP implements http.Handler.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get(requestID) == "" { // the gateway's own refusals need one too
		r.Header.Set(requestID, rand.Text()[:16]) // as long as those of API Gateway
	}
	if headerBytes(r) > MaxHeaderBytes {
		refuse(w, r, http.StatusRequestHeaderFieldsTooLarge, "headers_too_large", "The address and the headers are larger than 10,240 bytes together.")
		return
	}
	key, _, _ := g.router.Find(r.Method, r.URL.Path)
	function := g.functions[key]
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBytes))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			refuseTooLarge(w, r)
		}
		return // on any other error the client is gone
	}
	timeout := g.timeout
	if own, ok := function.(limited); ok {
		timeout = min(timeout, own.timeout)
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	// As in Lambda, the context ends a little before the timeout, so that the function can still answer.
	within, end := context.WithTimeout(ctx, timeout-timeout/spare)
	defer end()
	inner := r.WithContext(within)
	inner.Body = io.NopCloser(bytes.NewReader(body))
	inner.ContentLength = int64(len(body))
	inner.TransferEncoding = nil
	setClient(inner)

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

// headerBytes is the size of the request line and of the values of the headers.
func headerBytes(r *http.Request) int {
	size := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len(r.Host)
	for _, values := range r.Header {
		for _, value := range values {
			size += len(value)
		}
	}
	return size
}

// invoke calls the function. A panic fails this request alone.
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

// setClient sets the address of the client in the request, as API Gateway does: the address that connected. A peer on this
// machine is a proxy or a test; its X-Forwarded-For is used if it has one.
func setClient(r *http.Request) {
	host, port, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return
	}
	peer, err := netip.ParseAddr(host)
	if err != nil {
		return
	}
	client := peer
	if peer.IsLoopback() {
		if named, ok := lastForwarded(r.Header); ok {
			client = named
		}
	} else {
		r.Header.Set("X-Forwarded-Proto", "http")
	}
	r.RemoteAddr = net.JoinHostPort(client.String(), port)
	r.Header.Set("X-Forwarded-For", client.String())
}

// lastForwarded is the last address of X-Forwarded-For, which the nearest proxy has written. A client can have written
// the ones before it.
func lastForwarded(h http.Header) (netip.Addr, bool) {
	all := strings.Split(strings.Join(h.Values("X-Forwarded-For"), ","), ",")
	address, err := netip.ParseAddr(strings.TrimSpace(all[len(all)-1]))
	return address.WithZone(""), err == nil
}
