package config

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// lastLook keeps a connection open for the answer that comes while net/http takes
// its last look at the request's body, to see that no more of it follows. The SDK
// closes a body as soon as the answer has begun, and one closed like that says
// io.EOF from WriteTo, which is an error there: net/http cuts the connection, and
// the SDK, having read only half of the answer, sends the request again. A body
// without WriteTo is read instead, where io.EOF is its end.
type lastLook struct{}

// ID implements middleware.DeserializeMiddleware.
func (lastLook) ID() string { return "LastLook" }

// HandleDeserialize implements middleware.DeserializeMiddleware.
func (lastLook) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	if r, ok := in.Request.(*smithyhttp.Request); ok {
		if _, ok := r.GetStream().(io.WriterTo); ok {
			plain, err := r.SetStream(readOnly(r.GetStream()))
			if err != nil {
				return middleware.DeserializeOutput{}, middleware.Metadata{}, fmt.Errorf("prepare the request's body: %w", err)
			}
			in.Request = plain
		}
	}
	return next.HandleDeserialize(ctx, in)
}

// readOnly is a body without its WriteTo.
func readOnly(body io.Reader) io.Reader {
	if s, ok := body.(io.ReadSeeker); ok {
		return struct{ io.ReadSeeker }{s}
	}
	return struct{ io.Reader }{body}
}

func withLastLook(stack *middleware.Stack) error {
	return stack.Deserialize.Add(lastLook{}, middleware.After)
}
