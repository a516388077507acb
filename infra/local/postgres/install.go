package postgres

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/lafaekstreet/backend/infra/local/debian"
)

// alternatives ends the error messages about a machine on which PostgreSQL cannot be installed.
const alternatives = "point DATABASE_URL at any PostgreSQL 15+ with PostGIS, pgvector and pg_trgm, " +
	"for example a container made from postgis/postgis with pgvector added"

// distribution is what a release of an operating system offers.
type distribution struct {
	major string // version of PostgreSQL
	// buildVector means that the release has no package of pgvector: it is built from the source in the next release.
	buildVector bool
}

var distributions = map[string]distribution{
	"debian bookworm": {major: "15", buildVector: true},
	"debian trixie":   {major: "17"},
	"ubuntu noble":    {major: "16"},
}

// packages are the packages of the server and its extensions.
func (d distribution) packages() []string {
	server := "postgresql-" + d.major
	names := []string{server, "postgresql-client-" + d.major, server + "-postgis-3", server + "-postgis-3-scripts"}
	if !d.buildVector {
		names = append(names, server+"-pgvector")
	}
	return names
}

// bin is the directory of the server's programs when the packages are installed or unpacked into root.
func (d distribution) bin(root string) string {
	return filepath.Join(root, "usr/lib/postgresql", d.major, "bin")
}

// install gets PostgreSQL and all extensions from the packages of the distribution. Root installs them; every other
// account unpacks them into tools.
func install(ctx context.Context, tools string, log io.Writer) error {
	release, err := debian.ReadRelease("/etc/os-release")
	if err != nil {
		return fmt.Errorf("no PostgreSQL with PostGIS, pgvector and pg_trgm on this machine: %s", alternatives)
	}
	name := release.ID + " " + release.Codename
	dist, known := distributions[name]
	if !known {
		return fmt.Errorf("no PostgreSQL with PostGIS, pgvector and pg_trgm on this machine, and it cannot be installed on %s "+
			"automatically: %s", name, alternatives)
	}
	if err := os.MkdirAll(tools, 0o755); err != nil {
		return fmt.Errorf("make directory for PostgreSQL: %w", err)
	}
	fmt.Fprintln(log, "PostgreSQL with PostGIS and pgvector is not installed; getting the distribution's packages (about a minute)")
	sourceRelease := ""
	if dist.buildVector {
		sourceRelease = vectorRelease
	}
	packages, err := debian.Open(ctx, filepath.Join(tools, "apt"), release.Codename, sourceRelease)
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
	return packages.RemoveLists()
}
