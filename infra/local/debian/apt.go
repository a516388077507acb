// Package debian gets packages of Debian and its kin onto this machine: installed by root, or unpacked by anybody.
package debian

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/lafaekstreet/backend/infra/local/subprocess"
)

// Packages runs the machine's apt-get on package lists of our own: those of the distribution's archives that the machine
// already uses, and nothing else of its configuration. So it works where the machine's lists are empty, where another
// archive of the machine does not answer, and without root.
type Packages struct {
	dir string
}

// Open fetches the lists of the release called codename into dir. With sourcesOf, the source packages of that release
// can be fetched too.
func Open(ctx context.Context, dir, codename, sourcesOf string) (*Packages, error) {
	p, err := prepare(dir, codename, sourcesOf)
	if err != nil {
		return nil, err
	}
	return p, p.get(ctx, p.dir, "update")
}

func prepare(dir, codename, sourcesOf string) (*Packages, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, errors.New("apt-get is missing")
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
		return nil, fmt.Errorf("this machine's apt sources name no archive for %s", codename)
	}
	var list strings.Builder
	for _, entry := range entries {
		fmt.Fprintln(&list, entry.line("deb"))
	}
	if sourcesOf != "" {
		other := entries[0]
		other.suite, other.components = sourcesOf, []string{"main"}
		fmt.Fprintln(&list, other.line("deb-src"))
	}
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("make package directory: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "sources.list"), []byte(list.String()), 0o644); err != nil {
		return nil, fmt.Errorf("write package sources: %w", err)
	}
	return &Packages{dir: dir}, nil
}

// Install puts packages on the machine; it needs root.
func (p *Packages) Install(ctx context.Context, packages ...string) error {
	return p.get(ctx, p.dir, append([]string{"install", "--yes", "--no-install-recommends",
		"-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold"}, packages...)...)
}

// Download puts the package files into dir.
func (p *Packages) Download(ctx context.Context, dir string, packages ...string) error {
	return p.get(ctx, dir, append([]string{"download"}, packages...)...)
}

// Missing names the packages and all they depend on, except what the machine has.
func (p *Packages) Missing(ctx context.Context, packages ...string) ([]string, error) {
	out, err := p.output(ctx, append([]string{"install", "--simulate", "--no-install-recommends",
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

// Source puts the files of the source package into dir.
func (p *Packages) Source(ctx context.Context, dir, name string) error {
	return p.get(ctx, dir, "source", "--download-only", name)
}

// Forget removes the lists, which are many times the size of what they were for.
func (p *Packages) Forget() error {
	if err := os.RemoveAll(p.dir); err != nil {
		return fmt.Errorf("remove package lists: %w", err)
	}
	return nil
}

func (p *Packages) get(ctx context.Context, dir string, args ...string) error {
	return subprocess.Run(p.command(ctx, dir, args...), "apt-get "+args[0])
}

func (p *Packages) output(ctx context.Context, args ...string) (string, error) {
	cmd := p.command(ctx, p.dir, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("apt-get %s: %w: %s", args[0], err, subprocess.Cause(errs.String()))
	}
	return string(out), nil
}

func (p *Packages) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	options := []string{"-qq",
		"-o", "Dir::Etc::sourcelist=" + filepath.Join(p.dir, "sources.list"),
		"-o", "Dir::Etc::sourceparts=/dev/null",
		"-o", "Dir::State::lists=" + filepath.Join(p.dir, "lists"),
		"-o", "Dir::Cache=" + filepath.Join(p.dir, "cache"),
		"-o", "APT::Sandbox::User=", // the sandbox user may not reach a private directory
		"-o", "Acquire::Languages=none",
		"-o", "Acquire::Retries=3",
	}
	cmd := exec.CommandContext(ctx, "apt-get", append(options, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8")
	return cmd
}

// UnpackAll unpacks every package file in dir into tree.
func UnpackAll(ctx context.Context, dir, tree string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil {
		return fmt.Errorf("look for package files: %w", err)
	}
	for _, file := range files {
		if err := subprocess.Run(exec.CommandContext(ctx, "dpkg", "-x", file, tree), "unpack "+filepath.Base(file)); err != nil {
			return err
		}
	}
	return nil
}

// LibraryPath is the LD_LIBRARY_PATH of programs unpacked into tree.
func LibraryPath(tree string) string {
	var dirs []string
	for _, pattern := range []string{"usr/lib/*-linux-gnu", "lib/*-linux-gnu"} {
		found, err := filepath.Glob(filepath.Join(tree, pattern))
		if err == nil { // else the path itself is no pattern, and the programs will say what they miss
			dirs = append(dirs, found...)
		}
	}
	return strings.Join(dirs, string(os.PathListSeparator))
}
