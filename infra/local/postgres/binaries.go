package postgres

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestMajor is the oldest PostgreSQL whose SQL the project uses.
const oldestMajor = 15

// extensions are the extensions that the migrations create.
var extensions = []string{"postgis", "vector", "pg_trgm", "citext"}

// Binaries is a PostgreSQL installation that has every extension the system needs.
type Binaries struct {
	// Bin is the directory of postgres and initdb.
	Bin string
	// Env is what its programs need besides the environment of this process, as NAME=value.
	Env []string
}

// FindBinaries returns a usable installation: one that was unpacked into tools before, else one on the host, else a new one
// from the packages of the distribution. Root installs the packages; other accounts unpack them into tools. That takes about
// a minute. Messages for the person who waits go to log.
func FindBinaries(ctx context.Context, tools string, log io.Writer) (Binaries, error) {
	tools, err := filepath.Abs(tools)
	if err != nil {
		return Binaries{}, fmt.Errorf("find tools directory: %w", err)
	}
	if found, ok := findInstalled(tools); ok {
		return found, nil
	}
	unlock, err := lockFile(ctx, tools+".lock")
	if err != nil {
		return Binaries{}, fmt.Errorf("wait for another installation: %w", err)
	}
	defer unlock()
	if found, ok := findInstalled(tools); ok {
		return found, nil
	}
	if err := install(ctx, tools, log); err != nil {
		return Binaries{}, err
	}
	found, ok := findInstalled(tools)
	if !ok {
		return Binaries{}, fmt.Errorf("PostgreSQL was installed, but not all of its extensions %s were found: %s",
			strings.Join(extensions, ", "), alternatives)
	}
	return found, nil
}

// findInstalled returns a usable installation in tools or on the host.
func findInstalled(tools string) (Binaries, bool) {
	if found, ok := newest(unpacked(tools)); ok {
		return found, true
	}
	return newest(onHost())
}

// newest returns the usable candidate with the highest major version.
func newest(candidates []Binaries) (Binaries, bool) {
	best, bestMajor := Binaries{}, oldestMajor-1
	for _, candidate := range candidates {
		if major := candidate.major(); major > bestMajor && candidate.complete() {
			best, bestMajor = candidate, major
		}
	}
	return best, best.Bin != ""
}

func unpacked(tools string) []Binaries {
	var found []Binaries
	for _, bin := range glob(filepath.Join(tools, "usr/lib/postgresql/*/bin")) {
		found = append(found, Binaries{Bin: bin, Env: unpackedEnv(tools)})
	}
	return found
}

func onHost() []Binaries {
	dirs := slices.Concat(
		glob("/usr/lib/postgresql/*/bin"), // Debian, Ubuntu
		glob("/usr/pgsql-*/bin"),          // Fedora, RHEL
		glob("/opt/homebrew/opt/postgresql@*/bin"),
		glob("/usr/local/opt/postgresql@*/bin"),
	)
	if path, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	var found []Binaries
	for _, dir := range dirs {
		found = append(found, Binaries{Bin: dir})
	}
	return found
}

// complete reports whether the installation has the server and every extension.
func (b Binaries) complete() bool {
	for _, name := range []string{"postgres", "initdb"} {
		if !exists(filepath.Join(b.Bin, name)) {
			return false
		}
	}
	share, err := b.output("pg_config", "--sharedir")
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(extensions, func(name string) bool {
		return !exists(filepath.Join(share, "extension", name+".control"))
	})
}

var majorPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// major is the major version of the installation, 0 if it cannot be run.
func (b Binaries) major() int {
	text, err := b.output("postgres", "--version")
	if err != nil {
		return 0
	}
	match := majorPattern.FindStringSubmatch(text)
	if match == nil {
		return 0
	}
	major, err := strconv.Atoi(match[1])
	if err != nil {
		return 0
	}
	return major
}

func (b Binaries) output(program string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(b.Bin, program), args...)
	cmd.Env = append(os.Environ(), b.Env...)
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

func glob(pattern string) []string {
	found, err := filepath.Glob(pattern)
	if err != nil {
		return nil // the only error is a malformed pattern
	}
	return found
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
