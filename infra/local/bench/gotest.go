package bench

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"github.com/lafaekstreet/backend/infra/binary"
)

// others runs Go benchmarks of other packages, those of journeys, and prints their figures.
func others(ctx context.Context, r *Run) error {
	root, err := binary.Root()
	if err != nil {
		return err
	}
	t := NewTable("Benchmarks of other packages (go test -bench)", "what", "runs", "ms", "further figures")
	span := "10x"
	if r.Brief {
		span = "1x"
	}
	cmd := exec.CommandContext(ctx, "go", "run", "./infra/local/testdb/serve", "--", "go", "test", "-run", "^$", "-bench", ".",
		"-benchtime", span, "-timeout", "20m", "./functions/journeys")
	cmd.Dir, cmd.Stderr = root, r.Log
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go test -bench: %w: %s", err, bytes.TrimSpace(out))
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := procs.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
		var ns float64
		if _, err := fmt.Sscan(fields[2], &ns); err != nil {
			return fmt.Errorf("read benchmark: %w", err)
		}
		var further []string
		for i := 4; i+1 < len(fields); i += 2 {
			further = append(further, fields[i]+" "+fields[i+1])
		}
		t.Row(strings.ReplaceAll(name, "_", " "), fields[1], ns/1e6, strings.Join(further, ", "))
	}
	r.Print(t)
	return nil
}

// procs is the number of processors, which Go adds to a benchmark's name.
var procs = regexp.MustCompile(`-\d+$`)
