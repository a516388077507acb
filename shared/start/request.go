package start

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

const requestIDHeader = "X-Request-Id"

// adapted returns e in the form that the adapter reads, or an error for an event that no
// gateway sends. The adapter itself would answer such an event with 504.
func adapted(e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPRequest, error) {
	method := e.RequestContext.HTTP.Method
	if method == "" || strings.ContainsFunc(method, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		return e, errors.New("no HTTP request in the event")
	}
	if e.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(e.Body)
		if err != nil {
			return e, errors.New("body is not base64")
		}
		e.Body, e.IsBase64Encoded = string(body), false
	}
	path := e.RawPath
	if path == "" {
		path = e.RequestContext.HTTP.Path
	}
	e.RawPath = escaped(withoutStage(path, e.RequestContext.Stage))
	if strings.ContainsFunc(e.RawQueryString, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return e, errors.New("malformed query string")
	}
	// The fragment is never sent; a stray mark in the query must not cut it off.
	e.RawQueryString = strings.ReplaceAll(e.RawQueryString, "#", "%23")
	host := e.RequestContext.DomainName
	if u, err := url.Parse("https://" + host); host != "" && (err != nil || u.Host != host) {
		return e, fmt.Errorf("malformed domain name")
	}
	return e, nil
}

// withoutStage drops the stage that stands before the path of every stage but
// "$default", where it names no part of the API.
func withoutStage(path, stage string) string {
	if stage == "" || stage == "$default" {
		return path
	}
	if rest, ok := strings.CutPrefix(path, "/"+stage); ok && (rest == "" || rest[0] == '/') {
		return rest
	}
	return path
}

// escaped is path as it may stand in a request line. API Gateway hands some
// characters over decoded; what is escaped already stays as it is.
func escaped(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '%' && i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2]),
			c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("/-._~!$&'()*+,;=:@", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// asReceived gives r the headers, the address and the cookies of the event: the
// adapter splits most headers at their commas, which no ETag, date or signature
// survives, and names the client by an address without a port.
func asReceived(r *http.Request, e events.APIGatewayV2HTTPRequest) *http.Request {
	h := make(http.Header, len(e.Headers)+2)
	for name, value := range e.Headers {
		h[textproto.CanonicalMIMEHeaderKey(name)] = []string{value}
	}
	if host := h.Get("Host"); host != "" && r.Host == "" {
		r.Host = host
	}
	delete(h, "Host") // as net/http does
	if len(e.Cookies) > 0 {
		h["Cookie"] = []string{strings.Join(e.Cookies, "; ")}
	}
	if h.Get(requestIDHeader) == "" && e.RequestContext.RequestID != "" {
		h[requestIDHeader] = []string{e.RequestContext.RequestID} // the one in the gateway's access log
	}
	r.Header = h
	// Only what the gateway itself saw: X-Forwarded-For begins with what the client claims.
	r.RemoteAddr = net.JoinHostPort(e.RequestContext.HTTP.SourceIP, "0")
	return r
}
