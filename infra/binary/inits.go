package binary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Init is what a package did before main: its variables and its init functions.
type Init struct {
	Package string
	Took    time.Duration
	Bytes   int // allocated
}

// startLimit is how long a program may run that should end with an error at its start.
const startLimit = 30 * time.Second

// Inits returns what the packages of the program at path do at each start, in their order, as the Go runtime traces it. The program
// gets no configuration: a function ends with an error after that.
func Inits(ctx context.Context, path string) ([]Init, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path)
	cmd.Env = []string{"GODEBUG=inittrace=1"}
	var trace bytes.Buffer
	cmd.Stderr = &trace
	var failed *exec.ExitError
	if err := cmd.Run(); ctx.Err() != nil {
		return nil, fmt.Errorf("trace the start of %s: %w", path, ctx.Err())
	} else if err != nil && !errors.As(err, &failed) {
		return nil, fmt.Errorf("trace the start of %s: %w", path, err)
	}
	var all []Init
	for line := range strings.Lines(trace.String()) {
		var i Init
		var at, took float64
		var allocations int
		// init net/http @1.2 ms, 0.34 ms clock, 5678 bytes, 90 allocs
		if n, _ := fmt.Sscanf(line, "init %s @%g ms, %g ms clock, %d bytes, %d allocs", &i.Package, &at, &took, &i.Bytes, &allocations); n == 5 {
			i.Took = time.Duration(took * float64(time.Millisecond))
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("trace the start of %s: no package was traced", path)
	}
	return all, nil
}
