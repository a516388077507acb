package reportread

import (
	"strconv"
	"strings"
)

// where collects the conditions of a query and their arguments.
type where struct {
	conditions []string
	// walking are the same conditions for whoever walks along another index.
	walking []string
	args    []any
}

// and adds a condition; each ? in it stands for the next of args.
func (w *where) and(condition string, args ...any) { w.either(condition, condition, args...) }

// either adds a condition in two forms of the same meaning and arguments: one
// that an index finds, and one that only tells whether a report is meant.
func (w *where) either(indexed, walking string, args ...any) {
	before := len(w.args)
	w.conditions = append(w.conditions, w.bind(indexed, args...))
	w.args = w.args[:before]
	w.walking = append(w.walking, w.bind(walking, args...))
}

// bind numbers the ? of a fragment and takes its arguments in.
func (w *where) bind(fragment string, args ...any) string {
	var b strings.Builder
	for _, arg := range args {
		before, after, _ := strings.Cut(fragment, "?")
		w.args = append(w.args, arg)
		b.WriteString(before + "$" + strconv.Itoa(len(w.args)))
		fragment = after
	}
	return b.String() + fragment
}

func (w *where) sql() string { return all(w.conditions) }

// walk is sql for a walk along the index of an order.
func (w *where) walk() string { return all(w.walking) }

func all(conditions []string) string {
	if len(conditions) == 0 {
		return "true"
	}
	return strings.Join(conditions, " AND ")
}
