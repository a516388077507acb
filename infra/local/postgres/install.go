package postgres

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/lafaekstreet/backend/infra/local/debian"
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
	release, err := debian.ReadRelease("/etc/os-release")
	if err != nil {
		return fmt.Errorf("no PostgreSQL with PostGIS, pgvector and pg_trgm on this machine: %s", alternatives)
	}
	name := release.ID + " " + release.Codename
	dist, known := distributions[name]
	if !known {
		return fmt.Errorf("no PostgreSQL with PostGIS, pgvector and pg_trgm here, and no recipe to install it on %s: %s",
			name, alternatives)
	}
	if err := os.MkdirAll(tools, 0o755); err != nil {
		return fmt.Errorf("make directory for PostgreSQL: %w", err)
	}
	fmt.Fprintln(log, "PostgreSQL with PostGIS and pgvector is not installed; getting the distribution's packages (about a minute)")
	sourcesOf := ""
	if dist.buildVector {
		sourcesOf = vectorRelease
	}
	packages, err := debian.Open(ctx, filepath.Join(tools, "apt"), release.Codename, sourcesOf)
	if err != nil {
		return fmt.Errorf("%w; or %s", err, alternatives)
	}
	if os.Geteuid() == 0 {
		return installAsRoot(ctx, packages, dist, log)
	}
	return unpack(ctx, packages, dist, tools, log)
}

func installAsRoot(ctx context.Context, packages *debian.Packages, dist distribution, log io.Writer) error {
	wanted := dist.packages()
	if dist.buildVector {
		wanted = append(wanted, "gcc", "make", "libc6-dev")
	}
	if err := packages.Install(ctx, wanted...); err != nil {
		return err
	}
	if dist.buildVector {
		fmt.Fprintln(log, "building pgvector from the distribution's source package")
		if err := buildVector(ctx, packages, dist.major, vectorBuild{bin: dist.bin("/")}); err != nil {
			return err
		}
	}
	return packages.Forget()
}
