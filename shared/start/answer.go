package start

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// maxResponse is what a Lambda may return, in bytes of its JSON: 6 MiB less
// room for the fields around the body.
const maxResponse = 6<<20 - 64<<10

// answer is a ResponseWriter with the rules of net/http that the adapter's lacks:
// the first status counts and freezes the headers, a handler that writes nothing means 200,
// and some statuses have no body.
type answer struct {
	header http.Header
	sent   http.Header // header at the time of WriteHeader
	body   bytes.Buffer
	status int
}

func newAnswer() *answer { return &answer{header: make(http.Header)} }

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter. Informational statuses cannot be
// sent through a gateway.
func (a *answer) WriteHeader(status int) {
	if a.status != 0 || status < http.StatusOK {
		return
	}
	a.status = status
	a.sent = a.header.Clone()
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.sniff(b)
		a.WriteHeader(http.StatusOK)
	}
	if bodyless(a.status) {
		return 0, http.ErrBodyNotAllowed
	}
	return a.body.Write(b)
}

// finish applies what net/http would at the end of the request.
func (a *answer) finish(method string) {
	a.WriteHeader(http.StatusOK)
	if method == http.MethodHead {
		a.body.Reset()
	}
}

// Flush implements http.Flusher: everything goes out at the end.
func (a *answer) Flush() { a.WriteHeader(http.StatusOK) }

// sniff names the type of a body whose handler did not, unless it is compressed.
func (a *answer) sniff(b []byte) {
	_, named := a.header["Content-Type"]
	if !named && a.header.Get("Content-Encoding") == "" && len(b) > 0 {
		a.header.Set("Content-Type", http.DetectContentType(b))
	}
}

func bodyless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

// reset forgets everything that was written.
func (a *answer) reset() { *a = *newAnswer() }

// writeTo hands the answer to the adapter's writer.
func (a *answer) writeTo(w http.ResponseWriter) {
	for name, values := range a.sent {
		if len(values) > 0 { // a nil value only suppresses a default of net/http
			w.Header()[name] = values
		}
	}
	w.WriteHeader(a.status)
	if a.body.Len() > 0 {
		if _, typed := a.sent["Content-Type"]; !typed {
			w.Header().Set("Content-Type", "application/octet-stream")
		}
		_, _ = w.Write(a.body.Bytes()) // a buffer: it cannot fail
	}
}

// response is the answer without an adapter.
func (a *answer) response() events.APIGatewayV2HTTPResponse {
	a.WriteHeader(http.StatusOK)
	out := events.APIGatewayV2HTTPResponse{StatusCode: a.status, Headers: make(map[string]string)}
	for name, values := range a.sent {
		out.Headers[name] = strings.Join(values, ",")
	}
	if out.Body = a.body.String(); !utf8.ValidString(out.Body) {
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(a.body.Bytes()), true
	}
	return out
}

// sizeOf returns an upper bound of the size of the response as JSON, in bytes. Text
// grows by escaping: quotes, control characters and what HTML gives a meaning.
func sizeOf(out events.APIGatewayV2HTTPResponse) int {
	size := len(out.Body)
	if !out.IsBase64Encoded {
		for i := range len(out.Body) {
			switch c := out.Body[i]; {
			case c == '"', c == '\\', c == '\n', c == '\r', c == '\t':
				size++
			case c < ' ', c == '<', c == '>', c == '&':
				size += 5
			case c == 0xe2: // may begin a line separator, which JSON writes as \u2028
				size += 3
			}
		}
	}
	for name, value := range out.Headers {
		size += len(name) + len(value) + 6
	}
	for _, cookie := range out.Cookies {
		size += len(cookie) + 3
	}
	return size
}
