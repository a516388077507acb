package config

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// hideWriteTo hides the WriteTo method of request bodies from net/http. The SDK closes
// the body as soon as the answer begins. Net/http may read the body once more at that
// time, to see its end. WriteTo of a closed body returns io.EOF, which net/http takes
// for an error: it closes the connection in the middle of the answer, and the SDK sends
// the request again. Without WriteTo, net/http calls Read, where io.EOF is the end.
type hideWriteTo struct{}

// ID implements middleware.DeserializeMiddleware.
func (hideWriteTo) ID() string { return "HideWriteTo" }

// HandleDeserialize implements middleware.DeserializeMiddleware.
func (hideWriteTo) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
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

func withHiddenWriteTo(stack *middleware.Stack) error {
	return stack.Deserialize.Add(hideWriteTo{}, middleware.After)
}
