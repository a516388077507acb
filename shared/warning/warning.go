// Package warning says what of a successful request was not kept. An answer without warnings means that everything that was
// sent is kept.
package warning

import (
	"context"
	"slices"

	"github.com/lafaekstreet/backend/shared/locale"
)

// Code is a stable code for programs. Its text is in the catalog under "warning."+Code.
type Code string

// The codes.
const (
	Unreadable     Code = "unreadable"      // the value cannot be understood; it is left out
	OutOfRange     Code = "out_of_range"    // the value cannot be true or is not allowed; it is left out
	Cut            Code = "cut"             // the text is longer than allowed; what is over is left out
	TooLarge       Code = "too_large"       // the value is larger than allowed; all of it is left out
	TooMany        Code = "too_many"        // there are more elements than allowed; those after the last allowed one are left out
	NotTaken       Code = "not_taken"       // the member belongs to another route; it has no effect here
	Missing        Code = "missing"         // the member was not sent; the answer has the value that was used
	CountsClosed   Code = "counts_closed"   // the member about privacy cannot be understood; it counts as the private value
	Adjusted       Code = "adjusted"        // another value near the sent one was stored
	ClockCorrected Code = "clock_corrected" // the phone's clock is wrong; the time was corrected by its error
	PointDropped   Code = "point_dropped"   // a point of a file has no readable place; it is left out
	ShapeDropped   Code = "shape_dropped"   // a part of a file is neither a point nor a line of two points; it is left out

	UploadUnknown Code = "upload_unknown" // the person has no such upload, or it has expired
	UploadRefused Code = "upload_refused" // the uploaded file is not an accepted picture
	UploadInUse   Code = "upload_in_use"  // the upload belongs to another report
	ImageLimit    Code = "image_limit"    // the report has as many pictures as allowed
	Updated       Code = "updated"        // the report existed before, and this part of it was changed to what was sent
)

// Codes lists all codes.
func Codes() []Code {
	return []Code{Unreadable, OutOfRange, Cut, TooLarge, TooMany, NotTaken, Missing, CountsClosed, Adjusted, ClockCorrected, PointDropped, ShapeDropped,
		UploadUnknown, UploadRefused, UploadInUse, ImageLimit, Updated}
}

// Warning is one thing that was sent and not kept as it was sent.
type Warning struct {
	Field   string `json:"field" doc:"The member in dotted form, such as images[0].upload_id; in a file, the place" example:"captured_at"`
	Code    Code   `json:"code" doc:"Stable code for programs; the same in every language. More codes may follow" example:"unreadable"`
	Message string `json:"message" doc:"What was not kept and why, in the language of the request"`
}

// maxWarnings bounds the warnings of one request. Further ones are dropped.
const maxWarnings = 50

// Collector collects the warnings of one request. Its methods may be called on a nil Collector, which keeps nothing. It is
// not safe for concurrent use.
type Collector struct {
	language locale.Language
	found    []Warning
}

// NewCollector makes a Collector with texts in the language of ctx.
func NewCollector(ctx context.Context) *Collector {
	return &Collector{language: locale.FromContext(ctx)}
}

// Add adds a warning about a member. The same code about the same member is kept once, so a transaction that is tried
// again may add it again.
func (c *Collector) Add(field string, code Code) {
	if c == nil || len(c.found) == maxWarnings {
		return
	}
	known := func(w Warning) bool { return w.Field == field && w.Code == code }
	if slices.ContainsFunc(c.found, known) {
		return
	}
	text, _ := locale.Text(c.language, "warning."+string(code), nil)
	c.found = append(c.found, Warning{Field: field, Code: code, Message: text})
}

// List returns the warnings in the order they were added; nil if there are none.
func (c *Collector) List() []Warning {
	if c == nil {
		return nil
	}
	return slices.Clone(c.found)
}

type contextKey struct{}

// NewContext returns ctx with c.
func NewContext(ctx context.Context, c *Collector) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// FromContext returns the Collector of the request; nil if it has none.
func FromContext(ctx context.Context) *Collector {
	c, _ := ctx.Value(contextKey{}).(*Collector)
	return c
}
