// Package debian gets packages of Debian and Ubuntu onto this machine. Root can install them; every other account can
// unpack them into a directory.
package debian

import (
	"bufio"
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

// Packages runs apt-get with package lists in a directory of its own. It uses only those archives of the machine's
// configuration that belong to the distribution. So it works without root, when the machine's own lists are empty, and
// when another archive in the configuration does not answer.
type Packages struct {
	dir string
}

// Open fetches the package lists of the release with this codename into dir. If sourceRelease is not empty, it also
// fetches the list of the source packages of that release.
func Open(ctx context.Context, dir, codename, sourceRelease string) (*Packages, error) {
	p, err := writeSources(dir, codename, sourceRelease)
	if err != nil {
		return nil, err
	}
	return p, p.run(ctx, p.dir, "update")
}

// writeSources writes the sources.list that apt-get reads, and makes the directories that it needs.
func writeSources(dir, codename, sourceRelease string) (*Packages, error) {
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
	if sourceRelease != "" {
		other := entries[0]
		other.suite, other.components = sourceRelease, []string{"main"}
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

// Install installs packages on the machine. It needs root.
func (p *Packages) Install(ctx context.Context, packages ...string) error {
	return p.run(ctx, p.dir, append([]string{"install", "--yes", "--no-install-recommends",
		"-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold"}, packages...)...)
}

// Download downloads the files of the packages into dir.
func (p *Packages) Download(ctx context.Context, dir string, packages ...string) error {
	return p.run(ctx, dir, append([]string{"download"}, packages...)...)
}

// Missing returns those of the packages, and of the packages that they depend on, which are not installed.
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

// Source downloads the files of the source package into dir.
func (p *Packages) Source(ctx context.Context, dir, name string) error {
	return p.run(ctx, dir, "source", "--download-only", name)
}

// RemoveLists deletes the package lists, which are large. The Packages cannot be used afterwards.
func (p *Packages) RemoveLists() error {
	if err := os.RemoveAll(p.dir); err != nil {
		return fmt.Errorf("remove package lists: %w", err)
	}
	return nil
}

func (p *Packages) run(ctx context.Context, dir string, args ...string) error {
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
		"-o", "APT::Sandbox::User=", // the account of apt's sandbox may have no access to dir
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

// LibraryPath is the LD_LIBRARY_PATH for programs that were unpacked into tree.
func LibraryPath(tree string) string {
	var dirs []string
	for _, pattern := range []string{"usr/lib/*-linux-gnu", "lib/*-linux-gnu"} {
		found, err := filepath.Glob(filepath.Join(tree, pattern))
		if err == nil { // an error means that tree is not a valid pattern; the programs then report the missing libraries
			dirs = append(dirs, found...)
		}
	}
	return strings.Join(dirs, string(os.PathListSeparator))
}

// Release is a release of a distribution, for example "debian" with the codename "bookworm".
type Release struct{ ID, Codename string }

// ReadRelease reads the release that this machine runs from a file in the format of os-release(5).
func ReadRelease(path string) (Release, error) {
	file, err := os.Open(path)
	if err != nil {
		return Release{}, fmt.Errorf("read release of the operating system: %w", err)
	}
	defer file.Close()
	values := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			values[name] = strings.Trim(value, `"'`)
		}
	}
	if err := lines.Err(); err != nil {
		return Release{}, fmt.Errorf("read release of the operating system: %w", err)
	}
	return Release{ID: values["ID"], Codename: values["VERSION_CODENAME"]}, nil
}
