// Package awsjson serves the operations of AWS's JSON protocols and answers with their typed errors.
package awsjson

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/lafaekstreet/backend/infra/local/faults"
)

// Error is a typed error of a service.
type Error struct {
	// Code is the error's shape name, such as "QueueDoesNotExist".
	Code    string
	Message string
	// Status is the HTTP status; 0 is read as 400.
	Status int
	// QueryCode is the code of the same error in the older query protocol. SQS still sends it. Empty means Code.
	QueryCode string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an Error with status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Operation answers one call. An error that is not an *Error becomes the internal error of the service.
type Operation func(ctx context.Context, body []byte) (any, error)

// Op decodes the body into In before calling f.
func Op[In, Out any](f func(ctx context.Context, in In) (Out, error)) Operation {
	return func(ctx context.Context, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, Errorf("SerializationException", "the request body does not fit the operation: %v", err)
		}
		return f(ctx, in)
	}
}

// Protocol describes the answers of one service.
type Protocol struct {
	// Service is the service's name in package faults.
	Service string
	// ContentType of answers, such as "application/x-amz-json-1.0".
	ContentType string
	// Namespace precedes the code in __type ("com.amazonaws.sqs#"); may be empty.
	Namespace string
	// Internal and Throttled answer for the faults Error and Throttle.
	Internal, Throttled Error
	// QueryErrors adds the header of the older query protocol.
	QueryErrors bool
}

// Serve answers one call with op, or with the fault that set has for it.
func (p *Protocol) Serve(w http.ResponseWriter, r *http.Request, set *faults.Set, name string, body []byte, op Operation) {
	replies := faults.Replies{
		Error:     func(w http.ResponseWriter, _ *http.Request) { p.WriteError(w, &p.Internal) },
		Throttle:  func(w http.ResponseWriter, _ *http.Request) { p.WriteError(w, &p.Throttled) },
		Malformed: func(w http.ResponseWriter, _ *http.Request) { p.write(w, http.StatusOK, []byte(`{"truncated": [`)) },
	}
	set.Serve(w, r, p.Service, name, replies, func(w http.ResponseWriter, r *http.Request) {
		out, err := op(r.Context(), body)
		if err != nil {
			p.WriteError(w, err)
			return
		}
		raw, err := json.Marshal(out)
		if err != nil {
			p.WriteError(w, err)
			return
		}
		p.write(w, http.StatusOK, raw)
	})
}

// WriteError answers with err in the form of the service.
func (p *Protocol) WriteError(w http.ResponseWriter, err error) {
	var typed *Error
	if !errors.As(err, &typed) {
		internal := p.Internal
		internal.Message = err.Error()
		typed = &internal
	}
	status := typed.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	w.Header().Set("X-Amzn-Errortype", typed.Code)
	if p.QueryErrors {
		query, fault := typed.QueryCode, "Sender"
		if query == "" {
			query = typed.Code
		}
		if status >= http.StatusInternalServerError {
			fault = "Receiver"
		}
		w.Header().Set("X-Amzn-Query-Error", query+";"+fault)
	}
	raw, _ := json.Marshal(map[string]string{"__type": p.Namespace + typed.Code, "message": typed.Message})
	p.write(w, status, raw)
}

func (p *Protocol) write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", p.ContentType)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
