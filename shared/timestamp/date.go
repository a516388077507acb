package timestamp

import (
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

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
	v, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		return fmt.Errorf("expected a date as YYYY-MM-DD")
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
		return fmt.Errorf("expected a date as YYYY-MM-DD")
	}
	return d.UnmarshalText(b[1 : len(b)-1])
}

// Schema implements huma.SchemaProvider.
func (Date) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date", Examples: []any{"2026-11-21"}}
}
