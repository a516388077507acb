package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// apt runs the machine's apt-get on package lists of our own: those of the distribution's archives that the machine
// already uses, and nothing else of its configuration. So it works where the machine's lists are empty, where another
// archive of the machine does not answer, and without root.
type apt struct {
	dir string
}

// newAPT prepares private lists under dir for the release called codename. With sources, the source packages of the
// release after bookworm can be fetched too.
func newAPT(dir, codename string, sources bool) (*apt, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, fmt.Errorf("apt-get is missing: %s", alternatives)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find package directory: %w", err)
	}
	entries, err := machineArchives("/etc/apt", codename)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("this machine's apt sources name no archive for %s: %s", codename, alternatives)
	}
	var list strings.Builder
	for _, entry := range entries {
		fmt.Fprintln(&list, entry.line("deb"))
	}
	if sources {
		next := entries[0]
		next.suite, next.components = "trixie", []string{"main"}
		fmt.Fprintln(&list, next.line("deb-src"))
	}
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("make package directory: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "sources.list"), []byte(list.String()), 0o644); err != nil {
		return nil, fmt.Errorf("write package sources: %w", err)
	}
	return &apt{dir: dir}, nil
}

func (a *apt) update(ctx context.Context) error {
	return a.get(ctx, a.dir, "update")
}

// install puts packages on the machine; it needs root.
func (a *apt) install(ctx context.Context, packages ...string) error {
	return a.get(ctx, a.dir, append([]string{"install", "--yes", "--no-install-recommends",
		"-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold"}, packages...)...)
}

// download puts the package files into dir.
func (a *apt) download(ctx context.Context, dir string, packages ...string) error {
	return a.get(ctx, dir, append([]string{"download"}, packages...)...)
}

// missing names the packages and all they depend on, except what the machine has.
func (a *apt) missing(ctx context.Context, packages ...string) ([]string, error) {
	out, err := a.output(ctx, append([]string{"install", "--simulate", "--no-install-recommends",
		"-o", "Debug::NoLocking=1"}, packages...)...)
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(out) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Inst" {
			names = append(names, fields[1])
		}
	}
	return names, nil
}

// source puts the files of the source package into dir.
func (a *apt) source(ctx context.Context, dir, name string) error {
	return a.get(ctx, dir, "source", "--download-only", name)
}

// forget removes the lists, which are many times the size of what they were for.
func (a *apt) forget() error {
	if err := os.RemoveAll(a.dir); err != nil {
		return fmt.Errorf("remove package lists: %w", err)
	}
	return nil
}

func (a *apt) get(ctx context.Context, dir string, args ...string) error {
	return run(a.command(ctx, dir, args...), "apt-get "+args[0])
}

func (a *apt) output(ctx context.Context, args ...string) (string, error) {
	cmd := a.command(ctx, a.dir, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("apt-get %s: %w: %s", args[0], err, cause(errs.String()))
	}
	return string(out), nil
}

func (a *apt) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	options := []string{"-qq",
		"-o", "Dir::Etc::sourcelist=" + filepath.Join(a.dir, "sources.list"),
		"-o", "Dir::Etc::sourceparts=/dev/null",
		"-o", "Dir::State::lists=" + filepath.Join(a.dir, "lists"),
		"-o", "Dir::Cache=" + filepath.Join(a.dir, "cache"),
		"-o", "APT::Sandbox::User=", // the sandbox user may not reach a private directory
		"-o", "Acquire::Languages=none",
		"-o", "Acquire::Retries=3",
	}
	cmd := exec.CommandContext(ctx, "apt-get", append(options, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8")
	return cmd
}

// run keeps a program's output to itself and, when it fails, reports the line that says why.
func run(cmd *exec.Cmd, what string) error {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w: %s", what, err, cause(out.String()))
}

// cause picks the first line of a program's output that names an error, else the last.
func cause(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "E: ") || strings.Contains(line, "rror: ") {
			return line
		}
	}
	return lines[len(lines)-1]
}
