package subprocess

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Run runs a program and returns when it has ended. It prints nothing: if the program fails, the error has the line of its
// output that Cause picks.
func Run(cmd *exec.Cmd, what string) error {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w: %s", what, err, Cause(out.String()))
}

// Cause returns the first line of a program's output that looks like an error, else the last line.
func Cause(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "E: ") || strings.Contains(line, "rror: ") {
			return line
		}
	}
	return lines[len(lines)-1]
}
