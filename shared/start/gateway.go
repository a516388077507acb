package start

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
)

// reserved is the part of the invocation's time that a handler does not get. It is enough
// to answer with a problem document. Otherwise Lambda ends the process, and the client
// gets the 503 of the gateway.
const reserved = 400 * time.Millisecond

// Gateway turns API Gateway events (payload version 2) into HTTP requests and
// answers into responses, so that a handler sees and does what it would behind
// net/http. The adapter differs from that in several ways; each is
// corrected here and has a test.
type Gateway struct {
	handler http.Handler
	log     *slog.Logger
	edge    string
}

// NewGateway serves h. An edge key means that a distribution with a firewall is in front
// of the API and sends that key. Requests through the API without the key are refused;
// for those with it, the client is the one that the distribution saw.
func NewGateway(h http.Handler, edge string) *Gateway {
	return &Gateway{handler: h, log: slog.Default(), edge: edge}
}

// Handle is the Lambda handler. For every event it returns a response and no error: for
// an error the client would get a 502 without a reason.
func (g *Gateway) Handle(ctx context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reserved))
		defer cancel()
	}
	if g.edge != "" && !throughEdge(&e, g.edge) {
		return g.answerError(ctx, e, problem.New(problem.Forbidden, "forbidden"))
	}
	event, err := adapted(e)
	if err != nil {
		return g.answerError(ctx, e, problem.New(problem.BadRequest, "malformed_body").Because(err))
	}
	a := newAnswer()
	adapter := httpadapter.NewV2(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.serve(a, asReceived(r, event))
		a.finish(r.Method)
		a.writeTo(w)
	}))
	out, err := adapter.ProxyWithContext(ctx, event)
	if err != nil {
		return g.answerError(ctx, e, problem.New(problem.BadRequest, "malformed_body").Because(err))
	}
	size := sizeOf(out)
	if size > maxResponse && !out.IsBase64Encoded { // escaped text can take six times its size, base64 takes four thirds
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(out.Body)), true
		size = sizeOf(out)
	}
	if size > maxResponse {
		g.log.ErrorContext(ctx, "answer exceeds what Lambda carries", "bytes", size, "route", e.RouteKey)
		return g.answerError(ctx, e, problem.New(problem.Internal, "internal"))
	}
	return out, nil
}

// serve calls the handler. A panic becomes a 500; without that it would end the process
// and the next request would pay for a cold start.
func (g *Gateway) serve(a *answer, r *http.Request) {
	defer func() {
		if cause := recover(); cause != nil {
			g.log.ErrorContext(r.Context(), "handler panicked", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			a.reset()
			problem.DocumentOf(problem.New(problem.Internal, "internal"), locale.FromContext(r.Context()), "", "").Write(a)
		}
	}()
	g.handler.ServeHTTP(a, r)
}

// answerError answers with a problem document, without the handler.
func (g *Gateway) answerError(ctx context.Context, e events.APIGatewayV2HTTPRequest, err *problem.Error) (events.APIGatewayV2HTTPResponse, error) {
	if err.Err != nil {
		g.log.WarnContext(ctx, "event refused", "error", err.Err, "route", e.RouteKey)
	}
	a := newAnswer()
	language, ok := locale.FromHeader(e.Headers["accept-language"])
	if !ok {
		language = locale.FromContext(ctx)
	}
	problem.DocumentOf(err, language, e.RequestContext.RequestID, "https://"+e.RequestContext.DomainName).Write(a)
	return a.response(), nil
}

const (
	// edgeKey is the variable with the key of the distribution before the API; empty when there is none.
	edgeKey = "EDGE_KEY"
	// edgeHeader is the header in which the distribution sends the key. API Gateway passes header names in lower case.
	edgeHeader = "x-origin-key"
	// hostHeader is the header in which the distribution sends the host that the client asked for.
	hostHeader = "x-viewer-host"
	// addressHeader is the header in which the distribution sends the address of the client, version 4 or 6.
	addressHeader = "x-viewer-address"
)

// hostForm is that of a host with or without a port.
var hostForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$`)
})

// throughEdge reports whether e came through the distribution, which sends key. It then
// sets the client's address to the one that the distribution saw, and the host to the one that the client asked for: the distribution
// replaces both headers, so no client can choose them. An event that did
// not come through the API is let through: its sender has the right to call the function.
func throughEdge(e *events.APIGatewayV2HTTPRequest, key string) bool {
	shown := e.Headers[edgeHeader]
	headers := make(map[string]string, len(e.Headers))
	for name, value := range e.Headers {
		if name != edgeHeader { // the handler does not need it
			headers[name] = value
		}
	}
	e.Headers = headers
	if e.RequestContext.APIID == "" {
		return true
	}
	// Hashes are compared, so that the time taken does not reveal the length of the key.
	got, want := sha256.Sum256([]byte(shown)), sha256.Sum256([]byte(key))
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return false
	}
	// Without the header, which is so for minutes while a distribution is updated, the client is the place of the distribution.
	if client, err := netip.ParseAddr(headers[addressHeader]); err == nil {
		e.RequestContext.HTTP.SourceIP = client.WithZone("").Unmap().String()
	}
	if host := headers[hostHeader]; hostForm().MatchString(host) {
		headers["host"], e.RequestContext.DomainName = host, host
	}
	return true
}
