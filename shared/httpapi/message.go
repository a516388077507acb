package httpapi

import (
	"context"

	"github.com/lafaekstreet/backend/shared/locale"
)

// MessageOutput is the answer of a route that only confirms that it was done.
type MessageOutput struct {
	Body struct {
		_       struct{} `schema:"Message"`
		Message string   `json:"message" doc:"What happened, in the reader's language"`
	}
}

// Message answers with the text of key in the language of the request.
func Message(ctx context.Context, key string) *MessageOutput {
	out := &MessageOutput{}
	out.Body.Message = locale.TextFor(ctx, key)
	return out
}
