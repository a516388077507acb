package open311

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/warning"
)

// formReader reads the fields of a form. It collects all faults: the specification has an answer with several errors.
type formReader struct {
	form
	faults   []problem.Field
	warnings *warning.Collector
}

func (r *formReader) fault(f *problem.Error) { r.faults = append(r.faults, f.Fields...) }

// one is the value of a field that may be there once; "" for none.
func (r *formReader) one(name string) string {
	values := r.all(name)
	if len(values) > 1 {
		r.fault(problem.InvalidField(name, "sent more than once"))
	}
	if len(values) == 0 {
		return ""
	}
	return strings.TrimSpace(database.Text(values[0]))
}

// cut is one, cut to a number of characters with a warning; nil for none.
func (r *formReader) cut(name string, most int) *string {
	text := r.one(name)
	if text == "" {
		return nil
	}
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most])
		r.warnings.Add(name, warning.Cut)
	}
	return &text
}

// number is a field that is a number; false for none, and for a fault.
func (r *formReader) number(name string) (float64, bool) {
	text := r.one(name)
	if text == "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		r.fault(problem.InvalidField(name, "expected a number"))
		return 0, false
	}
	return n, true
}
