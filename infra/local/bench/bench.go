// Package bench measures the system on generated data: every hot endpoint over real HTTP beside its bare SQL in the
// same run, what grows with the data, and whatever else a part of it adds.
//
// A part is a file with a Part, listed in parts. It prints tables; what it may use is on Run.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Part is a section of what is printed.
type Part struct {
	// Name chooses it: make bench ONLY=name.
	Name string
	// Measure prints its tables by Run.Print. An error is a failure to measure; a figure over its goal is none.
	Measure func(ctx context.Context, r *Run) error
}

// parts in the order they are printed.
func parts() []Part {
	return []Part{
		{"reads", reads},
		{"writes", writes},
		{"durable", durable},
		{"memory", memory},
		{"others", others},
		{"coldstart", coldStarts},
		{"data", data},
		{"pipeline", pipeline},
	}
}

// Options configure Measure.
type Options struct {
	// Size is the number of reports.
	Size int
	// Only are the names of the parts to measure; empty is all.
	Only []string
	// Rows chooses among endpoints and binaries by their names; nil is all.
	Rows *regexp.Regexp
	// Dir keeps generated databases between runs, in a PostgreSQL of its own.
	Dir string
	// Server is a PostgreSQL to use instead, as its superuser; it is left as it was found.
	Server string
	// Lean generates less of what plans do not depend on; for tests.
	Lean bool
	// Brief measures so little that the figures mean nothing: a test of the measuring itself.
	Brief bool
	// Out takes the tables, Log what happens meanwhile.
	Out, Log io.Writer
}

// Run is what parts work with.
type Run struct {
	Options
	store *store
	over  []string // rows over their goal
}

// Plans names the reading endpoints of which a statement reads all reports, and fails when there are none to look at.
func Plans(ctx context.Context, o Options) ([]string, error) {
	s, err := openStore(ctx, o)
	if err != nil {
		return nil, err
	}
	r := &Run{Options: o, store: s}
	out, err := r.scanning(ctx)
	return out, errors.Join(err, s.close())
}

// Measure prints every part that is asked for.
func Measure(ctx context.Context, o Options) error {
	chosen, err := choose(o.Only)
	if err != nil {
		return err
	}
	s, err := openStore(ctx, o)
	if err != nil {
		return err
	}
	r := &Run{Options: o, store: s}
	fmt.Fprintf(o.Out, "%s reports, %d CPUs, %s/%s, %s. Absolute figures are this machine's; ratios are measured side by side.\n",
		short(o.Size), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	for _, p := range chosen {
		if err := p.Measure(ctx, r); err != nil {
			return errors.Join(fmt.Errorf("measure %s: %w", p.Name, err), s.close())
		}
	}
	if len(r.over) > 0 {
		fmt.Fprintf(o.Out, "\nOver their goal: %s.\n", strings.Join(r.over, "; "))
	} else {
		fmt.Fprintln(o.Out, "\nEvery goal is met.")
	}
	return s.close()
}

func choose(only []string) ([]Part, error) {
	if len(only) == 0 {
		return parts(), nil
	}
	var out []Part
	for _, name := range only {
		i := slices.IndexFunc(parts(), func(p Part) bool { return p.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no part %q", name)
		}
		out = append(out, parts()[i])
	}
	return out, nil
}

// Span is how long one figure is measured.
func (r *Run) Span() time.Duration {
	if r.Brief {
		return time.Millisecond
	}
	return time.Second
}

// variants is how many different requests an endpoint is asked, one after another.
func (r *Run) variants() int {
	if r.Brief {
		return 1
	}
	return 8
}

// clients is how many ask at once in the second half of a row.
func (r *Run) clients() int {
	if r.Brief {
		return 2
	}
	return 16
}

// Goal is "ok" or "over" for a cell of a table, and remembers what is over for the end of the output.
func (r *Run) Goal(what string, met bool) string {
	if met {
		return "ok"
	}
	r.over = append(r.over, what)
	return "OVER"
}

// ParseSize reads 10k, 100k, 1m or a plain number.
func ParseSize(s string) (int, error) {
	digits, factor := strings.ToLower(s), 1
	if rest, ok := strings.CutSuffix(digits, "k"); ok {
		digits, factor = rest, 1_000
	} else if rest, ok := strings.CutSuffix(digits, "m"); ok {
		digits, factor = rest, 1_000_000
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n*factor > 10_000_000 {
		return 0, fmt.Errorf("size %q: expected 10k, 100k, 1m or a number", s)
	}
	return n * factor, nil
}

func short(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return fmt.Sprintf("%d M", n/1_000_000)
	case n >= 1_000 && n%1_000 == 0:
		return fmt.Sprintf("%d k", n/1_000)
	}
	return strconv.Itoa(n)
}
