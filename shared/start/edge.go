package start

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/netip"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

const (
	// edgeKey is the variable with the key of the distribution before the API; empty when there is none.
	edgeKey = "EDGE_KEY"
	// edgeHeader is where the distribution shows it. API Gateway hands headers over in lower case.
	edgeHeader = "x-edge-key"
)

// throughEdge reports whether e came through the distribution, which sends key. It then
// sets the client's address to the one that the distribution saw. An event that did
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
	// The last address is the distribution's, added by the API; the one before it is
	// the client's, added by the distribution. Those before were sent by the client and may be false.
	addresses := strings.Split(headers["x-forwarded-for"], ",")
	if len(addresses) > 1 {
		if client, err := netip.ParseAddr(strings.TrimSpace(addresses[len(addresses)-2])); err == nil {
			e.RequestContext.HTTP.SourceIP = client.String()
		}
	}
	return true
}
