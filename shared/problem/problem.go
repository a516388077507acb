// Package problem holds the error that handlers return to clients. It has a kind that
// decides the HTTP status, a stable code for programs, and a text in the reader's
// language. Document is its RFC 9457 form.
package problem

import (
	"fmt"
	"maps"
	"net/http"
	"time"
)

// Kind is the kind of a failure; its value is the HTTP status.
type Kind int

// The kinds of failure.
const (
	BadRequest         Kind = http.StatusBadRequest         // refused by a business rule
	Unauthenticated    Kind = http.StatusUnauthorized       // no valid access token
	Forbidden          Kind = http.StatusForbidden          // signed in, but not allowed
	NotFound           Kind = http.StatusNotFound           // unknown, or not visible to the caller
	Conflict           Kind = http.StatusConflict           // does not fit the current state
	PreconditionFailed Kind = http.StatusPreconditionFailed // If-Match failed
	TooLarge           Kind = http.StatusRequestEntityTooLarge
	UnsupportedMedia   Kind = http.StatusUnsupportedMediaType
	Invalid            Kind = http.StatusUnprocessableEntity // malformed or out-of-range input
	RateLimited        Kind = http.StatusTooManyRequests
	Internal           Kind = http.StatusInternalServerError
	Unavailable        Kind = http.StatusServiceUnavailable // a dependency is down; try later
)

// Field is one invalid input. It never holds the value itself.
type Field struct {
	Name    string `json:"field" doc:"Which input is invalid: a body member in dotted form, or a parameter's name"`
	Message string `json:"message" doc:"Why it is invalid"`
}

// Error is a failure with a meaning for the client.
type Error struct {
	Kind Kind
	// Code is a stable code for programs. Its text is in the catalog under "problem."+Code.
	Code string
	// Params replace the {names} in the catalog's text.
	Params map[string]string
	Fields []Field
	// Extra holds further members of the problem document, such as "allowed".
	Extra map[string]any
	// RetryAfter is sent as the Retry-After header, in whole seconds, if it is positive.
	RetryAfter time.Duration
	// Err is the internal cause. It is logged and never sent to the client.
	Err error
}

// New makes an error of a kind with a code.
func New(kind Kind, code string) *Error { return &Error{Kind: kind, Code: code} }

// Error implements error. The text is for logs.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s (%d): %v", e.Code, e.Kind, e.Err)
	}
	return fmt.Sprintf("%s (%d)", e.Code, e.Kind)
}

// Unwrap returns the internal cause for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Because returns a copy of e with its internal cause.
func (e *Error) Because(err error) *Error { c := *e; c.Err = err; return &c }

// With returns a copy of e with one more member of the problem document.
func (e *Error) With(name string, value any) *Error {
	c := *e
	c.Extra = maps.Clone(e.Extra)
	if c.Extra == nil {
		c.Extra = make(map[string]any)
	}
	c.Extra[name] = value
	return &c
}

// Param returns a copy of e with a parameter of its text.
func (e *Error) Param(name, value string) *Error {
	c := *e
	c.Params = maps.Clone(e.Params)
	if c.Params == nil {
		c.Params = make(map[string]string)
	}
	c.Params[name] = value
	return &c
}

// After returns a copy of e with a Retry-After header.
func (e *Error) After(d time.Duration) *Error { c := *e; c.RetryAfter = d; return &c }

// InvalidField makes a 422 about one input.
func InvalidField(name, message string) *Error {
	return &Error{Kind: Invalid, Code: "invalid_input", Fields: []Field{{Name: name, Message: message}}}
}
