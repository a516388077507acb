// Package problem holds the error that handlers return to clients. It has a kind that
// decides the HTTP status, a stable code for programs, and a text in the reader's
// language. Document is its RFC 9457 form.
package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/locale"
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
	Gone               Kind = http.StatusGone               // it was there, or was known, and is no more
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
	_       struct{} `schema:"ProblemField"`
	Name    string   `json:"field" doc:"Which input is invalid: a body member in dotted form, or a parameter's name"`
	Message string   `json:"message" doc:"Why it is invalid"`
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

// ExampleID is an id for examples.
func ExampleID() uuid.UUID { return uuid.MustParse("01932f6a-1e5b-7c07-9d5e-3f1f6a5b8c21") }

// InvalidField makes a 422 about one input.
func InvalidField(name, message string) *Error {
	return &Error{Kind: Invalid, Code: "invalid_input", Fields: []Field{{Name: name, Message: message}}}
}

// Path is the path of the page about a code, without the code.
const Path = "/docs/problems/"

// Document is the RFC 9457 body of an error.
type Document struct {
	Type      string  `json:"type" format:"uri" doc:"The address of a page about the code: what happened, and what the client should do" example:"https://api.example.tl/docs/problems/invalid_input"`
	Title     string  `json:"title" doc:"The name of the HTTP status" example:"Unprocessable Entity"`
	Status    int     `json:"status" doc:"HTTP status" example:"422"`
	Detail    string  `json:"detail" doc:"What is wrong, in the language of the request"`
	Code      string  `json:"code" doc:"Stable code for programs; the same in every language" example:"invalid_input"`
	RequestID string  `json:"request_id" doc:"The id of this request in our logs"`
	Errors    []Field `json:"errors,omitempty" doc:"The invalid inputs, without their values"`

	extra      map[string]any
	retryAfter int
	language   locale.Language
	cause      error
}

// DocumentOf returns the document of err for a reader of l. An err that is not an
// *Error becomes a 500 without any internal text.
// Origin is the address under which the client reached the API, such as "https://api.example.tl".
func DocumentOf(err error, l locale.Language, requestID, origin string) *Document {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Kind: Internal, Code: "internal"}
	}
	detail, ok := locale.Text(l, "problem."+e.Code, statusesIn(l, e.Params))
	if !ok {
		detail = http.StatusText(int(e.Kind))
	}
	d := &Document{
		Type: origin + Path + e.Code, Title: http.StatusText(int(e.Kind)), Status: int(e.Kind),
		Detail: detail, Code: e.Code, RequestID: requestID, Errors: fieldsIn(l, e.Fields), extra: e.Extra, cause: err,
		language: l,
	}
	if e.RetryAfter > 0 {
		d.retryAfter = int((e.RetryAfter.Seconds()) + 0.999)
	}
	return d
}

// statusParams are the parameters that are statuses of a report.
var statusParams = []string{"from", "to", "status"}

// statusesIn returns params with the statuses in l, in the words of the pages and mails.
func statusesIn(l locale.Language, params map[string]string) map[string]string {
	out := maps.Clone(params)
	for _, name := range statusParams {
		if label, ok := locale.Label(l, "status", params[name]); ok {
			out[name] = label
		}
	}
	return out
}

// Error implements error.
func (d *Document) Error() string { return d.cause.Error() }

// Unwrap returns the error that the document was made from.
func (d *Document) Unwrap() error { return d.cause }

// GetStatus implements huma.StatusError.
func (d *Document) GetStatus() int { return d.Status }

// GetHeaders implements huma.HeadersError.
func (d *Document) GetHeaders() http.Header {
	h := make(http.Header)
	h.Set("Content-Language", string(d.language))
	if d.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(d.retryAfter))
	}
	if d.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	return h
}

// ContentType implements huma.ContentTypeFilter.
func (d *Document) ContentType(string) string { return "application/problem+json" }

// MarshalJSON adds the members of Error.Extra.
func (d *Document) MarshalJSON() ([]byte, error) {
	type plain Document
	body, err := json.Marshal((*plain)(d))
	if err != nil || len(d.extra) == 0 {
		return body, err
	}
	extra, err := json.Marshal(d.extra)
	if err != nil {
		return nil, err
	}
	return append(append(body[:len(body)-1], ','), extra[1:]...), nil
}

// Write sends the document as a response. Operations return an Error instead.
func (d *Document) Write(w http.ResponseWriter) {
	for name, values := range d.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(d.Status)
	body, err := json.Marshal(d)
	if err != nil {
		return
	}
	_, _ = w.Write(body) // an error means that the client is gone
}
