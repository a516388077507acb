// Package bench measures the system on generated data: every frequent endpoint over HTTP beside its SQL alone, growth with
// the data, memory, cold starts and bytes.
//
// A Part is a section of the output. parts lists all of them. A Part prints tables and uses the methods of Run.
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
	// Measure prints its tables by Run.Print. It returns an error if it could not measure. A figure over its goal is no error.
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
		{"peer", besidePeer},
		{"storm", storm},
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
	// Server is the address of a PostgreSQL to use instead, with a superuser. All databases made there are dropped.
	Server string
	// Lean generates less of the data that does not change query plans; for tests.
	Lean bool
	// Brief measures for such a short time that the figures mean nothing; for tests of this package.
	Brief bool
	// Out receives the tables, Log the progress.
	Out, Log io.Writer
}

// Run is one run of the parts.
type Run struct {
	Options
	store *store
	over  []string // rows over their goal
}

// Plans returns the reading endpoints of which a statement makes a sequential scan of reports.
func Plans(ctx context.Context, o Options) ([]string, error) {
	s, err := openStore(ctx, o)
	if err != nil {
		return nil, err
	}
	r := &Run{Options: o, store: s}
	out, err := r.scanning(ctx)
	return out, errors.Join(err, s.close())
}

// Measure measures and prints the parts of Options.Only.
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
	fmt.Fprintf(o.Out, "%s reports, %d CPUs, %s/%s, %s. Absolute figures hold for this machine only. The two sides of a ratio are measured in turns.\n",
		short(o.Size), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	for _, p := range chosen {
		if err := p.Measure(ctx, r); err != nil {
			return errors.Join(fmt.Errorf("measure %s: %w", p.Name, err), s.close())
		}
	}
	if len(r.over) > 0 {
		fmt.Fprintf(o.Out, "\nOver the goal: %s.\n", strings.Join(r.over, "; "))
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

// variants is how many different requests are sent to an endpoint.
func (r *Run) variants() int {
	if r.Brief {
		return 1
	}
	return 8
}

// clients is the number of clients that send requests at the same time in the second half of a row.
func (r *Run) clients() int {
	if r.Brief {
		return 2
	}
	return 16
}

// Goal returns the cell of a table, "ok" or "OVER". What is over its goal is listed at the end of the output.
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
		return 0, fmt.Errorf("size %q: expected 10k, 100k, 1m, 10m or a number", s)
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
