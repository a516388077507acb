// Package problem is the error that handlers return to clients: a kind that decides the
// HTTP status, a stable code for programs, and a text for people in their language.
// shared/httpapi turns it into an RFC 9457 document.
package problem

import (
	"fmt"
	"maps"
	"net/http"
	"time"
)

// Kind is what sort of failure it is; its value is the HTTP status.
type Kind int

// Kinds of the contract.
const (
	BadRequest         Kind = http.StatusBadRequest         // refused by a business rule
	Unauthenticated    Kind = http.StatusUnauthorized       // no token, an expired one, or one of another kind
	Forbidden          Kind = http.StatusForbidden          // signed in, but not allowed
	NotFound           Kind = http.StatusNotFound           // unknown, or not visible to the caller
	Conflict           Kind = http.StatusConflict           // does not fit the present state
	PreconditionFailed Kind = http.StatusPreconditionFailed // If-Match failed
	TooLarge           Kind = http.StatusRequestEntityTooLarge
	UnsupportedMedia   Kind = http.StatusUnsupportedMediaType
	Invalid            Kind = http.StatusUnprocessableEntity // malformed or out-of-range input
	RateLimited        Kind = http.StatusTooManyRequests
	Internal           Kind = http.StatusInternalServerError
	Unavailable        Kind = http.StatusServiceUnavailable // a dependency is down; try later
)

// Field names one faulty input. The value itself is never repeated.
type Field struct {
	Name    string `json:"field" doc:"Where the fault is: a body member in dotted form, or a parameter's name"`
	Message string `json:"message" doc:"What is wrong with it"`
}

// Error is a failure with a meaning for the client.
type Error struct {
	Kind Kind
	// Code is a stable machine word. Its text stands in the catalog under "problem."+Code.
	Code string
	// Params fill the {names} of the catalog's text.
	Params map[string]string
	Fields []Field
	// Extra are further members of the problem document, such as "allowed".
	Extra map[string]any
	// RetryAfter is sent as the Retry-After header when positive.
	RetryAfter time.Duration
	// Err is the private cause: for the log, never for the client.
	Err error
}

// New makes an error of kind with a machine word.
func New(kind Kind, code string) *Error { return &Error{Kind: kind, Code: code} }

// Error implements error; for logs.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s (%d): %v", e.Code, e.Kind, e.Err)
	}
	return fmt.Sprintf("%s (%d)", e.Code, e.Kind)
}

// Unwrap exposes the private cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Because returns e with its private cause.
func (e *Error) Because(err error) *Error { c := *e; c.Err = err; return &c }

// With returns e with one more member of the document.
func (e *Error) With(name string, value any) *Error {
	c := *e
	c.Extra = maps.Clone(e.Extra)
	if c.Extra == nil {
		c.Extra = make(map[string]any)
	}
	c.Extra[name] = value
	return &c
}

// Param returns e with a parameter of its text.
func (e *Error) Param(name, value string) *Error {
	c := *e
	c.Params = maps.Clone(e.Params)
	if c.Params == nil {
		c.Params = make(map[string]string)
	}
	c.Params[name] = value
	return &c
}

// After returns e with a Retry-After.
func (e *Error) After(d time.Duration) *Error { c := *e; c.RetryAfter = d; return &c }

// InvalidField is a 422 about one input.
func InvalidField(name, message string) *Error {
	return &Error{Kind: Invalid, Code: "invalid_input", Fields: []Field{{Name: name, Message: message}}}
}
