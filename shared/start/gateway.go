package start

import (
	"context"
	"net"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
)

// Gateway turns API Gateway events into HTTP requests and mends what the
// adapter gets wrong on the way.
type Gateway struct {
	adapter *httpadapter.HandlerAdapterV2
}

// NewGateway serves h.
func NewGateway(h http.Handler) *Gateway {
	return &Gateway{adapter: httpadapter.NewV2(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, err := net.SplitHostPort(r.RemoteAddr); err != nil {
			r.RemoteAddr = net.JoinHostPort(r.RemoteAddr, "0")
		}
		h.ServeHTTP(w, r)
	}))}
}

// Handle is the Lambda handler.
func (g *Gateway) Handle(ctx context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return g.adapter.ProxyWithContext(ctx, e)
}
