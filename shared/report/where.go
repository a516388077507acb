package report

import (
	"strconv"
	"strings"
)

// where collects the conditions of a query and their arguments.
type where struct {
	conditions []string
	args       []any
}

// and adds a condition; each ? in it stands for the next of args.
func (w *where) and(condition string, args ...any) {
	w.conditions = append(w.conditions, w.bind(condition, args...))
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

func (w *where) sql() string {
	if len(w.conditions) == 0 {
		return "true"
	}
	return strings.Join(w.conditions, " AND ")
}
