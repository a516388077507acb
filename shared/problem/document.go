package problem

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/lafaekstreet/backend/shared/locale"
)

// Document is the RFC 9457 body of an error.
type Document struct {
	Type      string  `json:"type" doc:"URI reference of the kind of problem" example:"about:blank"`
	Title     string  `json:"title" doc:"The name of the HTTP status" example:"Unprocessable Entity"`
	Status    int     `json:"status" doc:"HTTP status" example:"422"`
	Detail    string  `json:"detail" doc:"What is wrong, in the language of the request"`
	Code      string  `json:"code" doc:"Stable code for programs; the same in every language" example:"invalid_input"`
	RequestID string  `json:"request_id" doc:"The id of this request in our logs"`
	Errors    []Field `json:"errors,omitempty" doc:"The invalid inputs, without their values"`

	extra      map[string]any
	retryAfter int
	cause      error
}

// DocumentOf returns the document of err for a reader of l. An err that is not an
// *Error becomes a 500 without any internal text.
func DocumentOf(err error, l locale.Language, requestID string) *Document {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Kind: Internal, Code: "internal"}
	}
	detail, ok := locale.Text(l, "problem."+e.Code, e.Params)
	if !ok {
		detail = http.StatusText(int(e.Kind))
	}
	d := &Document{
		Type: "about:blank", Title: http.StatusText(int(e.Kind)), Status: int(e.Kind),
		Detail: detail, Code: e.Code, RequestID: requestID, Errors: e.Fields, extra: e.Extra, cause: err,
	}
	if e.RetryAfter > 0 {
		d.retryAfter = int((e.RetryAfter.Seconds()) + 0.999)
	}
	return d
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
