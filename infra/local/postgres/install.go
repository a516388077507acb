package postgres

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// alternatives is the way out where PostgreSQL cannot be got.
const alternatives = "point DATABASE_URL at any PostgreSQL 15+ with PostGIS, pgvector and pg_trgm, " +
	"for example a container made from postgis/postgis with pgvector added"

// distribution says what a release of an operating system has.
type distribution struct {
	major string // of its PostgreSQL
	// buildVector says that pgvector is not packaged and is built from the source of the next release.
	buildVector bool
}

var distributions = map[string]distribution{
	"debian bookworm": {major: "15", buildVector: true},
	"debian trixie":   {major: "17"},
	"ubuntu noble":    {major: "16"},
}

// packages are the server and its extensions.
func (d distribution) packages() []string {
	server := "postgresql-" + d.major
	names := []string{server, "postgresql-client-" + d.major, server + "-postgis-3", server + "-postgis-3-scripts"}
	if !d.buildVector {
		names = append(names, server+"-pgvector")
	}
	return names
}

// bin is where the packages keep the server's programs, below the root they are installed or unpacked to.
func (d distribution) bin(root string) string {
	return filepath.Join(root, "usr/lib/postgresql", d.major, "bin")
}

// install gets PostgreSQL with all extensions from the distribution's packages: onto the machine as root, otherwise
// unpacked under tools.
func install(ctx context.Context, tools string, log io.Writer) error {
	release, err := readRelease("/etc/os-release")
	if err != nil {
		return fmt.Errorf("no PostgreSQL with PostGIS, pgvector and pg_trgm on this machine: %s", alternatives)
	}
	codename := release["VERSION_CODENAME"]
	name := release["ID"] + " " + codename
	dist, known := distributions[name]
	if !known {
		return fmt.Errorf("no PostgreSQL with PostGIS, pgvector and pg_trgm here, and no recipe to install it on %s: %s",
			name, alternatives)
	}
	if err := os.MkdirAll(tools, 0o755); err != nil {
		return fmt.Errorf("make directory for PostgreSQL: %w", err)
	}
	packages, err := newAPT(filepath.Join(tools, "apt"), codename, dist.buildVector)
	if err != nil {
		return err
	}
	fmt.Fprintln(log, "PostgreSQL with PostGIS and pgvector is not installed; getting the distribution's packages (about a minute)")
	if err := packages.update(ctx); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		return installAsRoot(ctx, packages, dist, log)
	}
	return unpack(ctx, packages, dist, tools, log)
}

func installAsRoot(ctx context.Context, packages *apt, dist distribution, log io.Writer) error {
	wanted := dist.packages()
	if dist.buildVector {
		wanted = append(wanted, "gcc", "make", "libc6-dev")
	}
	if err := packages.install(ctx, wanted...); err != nil {
		return err
	}
	if dist.buildVector {
		fmt.Fprintln(log, "building pgvector from the distribution's source package")
		if err := buildVector(ctx, packages, dist.major, vectorBuild{bin: dist.bin("/")}); err != nil {
			return err
		}
	}
	return packages.forget()
}

// readRelease parses os-release(5).
func readRelease(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read release of the operating system: %w", err)
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
		return nil, fmt.Errorf("read release of the operating system: %w", err)
	}
	return values, nil
}
