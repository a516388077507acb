// Package timestamp is the form of instants and calendar dates in answers, and the clock that functions ask for the time.
package timestamp

import (
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// layout is RFC 3339 in UTC with milliseconds: what every answer carries.
const layout = "2006-01-02T15:04:05.000Z"

// Texts of the errors about text that cannot be read as a Time and as a Date.
const (
	NoTime = "expected an RFC 3339 date-time"
	NoDate = "expected a date as YYYY-MM-DD"
)

// Time is an instant. It reads any RFC 3339 form and writes UTC with milliseconds and Z.
type Time struct{ time.Time }

// Of wraps t.
func Of(t time.Time) Time { return Time{t} }

// OfPtr wraps t; nil stays nil.
func OfPtr(t *time.Time) *Time {
	if t == nil {
		return nil
	}
	return &Time{*t}
}

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalJSON replaces that of the embedded time.Time.
func (t Time) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

// String returns the form of answers.
func (t Time) String() string { return t.UTC().Format(layout) }

// Parse reads an RFC 3339 date-time, in the spelling of WithPlus too.
func Parse(text string) (time.Time, error) { return time.Parse(time.RFC3339Nano, WithPlus(text)) }

// WithPlus gives the offset of a date-time its plus back. In a query, a plus that a client did not encode is a space.
func WithPlus(text string) string {
	if zone := len(text) - len("+09:00"); zone > 0 && text[zone] == ' ' {
		return text[:zone] + "+" + text[zone+1:]
	}
	return text
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Time) UnmarshalText(b []byte) error {
	v, err := Parse(string(b))
	v = v.UTC()
	if err != nil || v.Year() < 0 || v.Year() > 9999 { // an offset can lead to a year that has no form
		return errors.New(NoTime)
	}
	t.Time = v
	return nil
}

// UnmarshalJSON reads a JSON string.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if len(b) < 2 || b[0] != '"' {
		return errors.New(NoTime)
	}
	return t.UnmarshalText(b[1 : len(b)-1])
}

// Schema implements huma.SchemaProvider.
func (Time) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Examples: []any{"2026-11-21T08:30:00.000Z"}}
}

// Clock tells the time. Implementations are safe for concurrent use.
type Clock interface {
	// Now is the current instant, in UTC.
	Now() time.Time
}

// System is the machine's clock.
type System struct{}

// Now implements Clock.
func (System) Now() time.Time { return time.Now().UTC() }

// Date is a calendar date without a zone, YYYY-MM-DD.
type Date struct{ time.Time }

// DateOf is the calendar date of t in UTC.
func DateOf(t time.Time) Date { return Date{t.UTC().Truncate(24 * time.Hour)} }

// DateOfPtr is DateOf; nil stays nil.
func DateOfPtr(t *time.Time) *Date {
	if t == nil {
		return nil
	}
	d := DateOf(*t)
	return &d
}

// String returns the form of answers.
func (d Date) String() string { return d.Format(time.DateOnly) }

// MarshalText implements encoding.TextMarshaler.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalJSON replaces that of the embedded time.Time.
func (d Date) MarshalJSON() ([]byte, error) { return []byte(`"` + d.String() + `"`), nil }

// UnmarshalText reads YYYY-MM-DD, or the date part of an RFC 3339 date-time as browsers send it.
func (d *Date) UnmarshalText(b []byte) error {
	if v, err := time.Parse(time.DateOnly, string(b)); err == nil {
		d.Time = v
		return nil
	}
	v, err := Parse(string(b))
	if err != nil {
		return errors.New(NoDate)
	}
	d.Time = time.Date(v.Year(), v.Month(), v.Day(), 0, 0, 0, 0, time.UTC)
	return nil
}

// UnmarshalJSON reads a JSON string.
func (d *Date) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if len(b) < 2 || b[0] != '"' {
		return errors.New(NoDate)
	}
	return d.UnmarshalText(b[1 : len(b)-1])
}

// Schema implements huma.SchemaProvider.
func (Date) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date", Examples: []any{"2026-11-21"}}
}
