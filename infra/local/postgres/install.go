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

// distribution says where a release of an operating system keeps PostgreSQL and its extensions.
type distribution struct {
	major    string   // of its PostgreSQL
	packages []string // with the server and the extensions
	// libraries are what those packages need at run time beyond the C library, for a machine where they can only be
	// unpacked.
	libraries []string
	// buildVector says that pgvector is not packaged and is built from the source of the next release.
	buildVector bool
}

var distributions = map[string]distribution{
	"debian bookworm": {
		major:    "15",
		packages: []string{"postgresql-15", "postgresql-15-postgis-3"},
		libraries: []string{"postgresql-client-15", "postgresql-15-postgis-3-scripts", "libpq5", "libxml2", "libicu72",
			"libgeos-c1v5", "libgeos3.11.1", "libproj25", "proj-data", "libprotobuf-c1", "libjson-c5", "libsqlite3-0",
			"libtiff6", "libcurl3-gnutls", "libldap-2.5-0", "libsasl2-2", "libssl3", "libreadline8", "libgssapi-krb5-2",
			"libkrb5-3", "libk5crypto3", "libkrb5support0", "libkeyutils1", "libwebp7", "liblerc4", "libjbig0",
			"libjpeg62-turbo", "libdeflate0", "libnghttp2-14", "librtmp1", "libssh2-1", "libpsl5", "libbrotli1"},
		buildVector: true,
	},
	"debian trixie": {
		major:    "17",
		packages: []string{"postgresql-17", "postgresql-17-postgis-3", "postgresql-17-pgvector"},
	},
	"ubuntu noble": {
		major:    "16",
		packages: []string{"postgresql-16", "postgresql-16-postgis-3", "postgresql-16-pgvector"},
	},
}

// install gets PostgreSQL with all extensions from the distribution's packages: onto the machine as root, otherwise
// unpacked under tools.
func install(ctx context.Context, tools string, log io.Writer) error {
	release, err := readRelease("/etc/os-release")
	if err != nil {
		return fmt.Errorf("no PostgreSQL with PostGIS, pgvector and pg_trgm on this machine: %s", alternatives)
	}
	name := release["ID"] + " " + release["VERSION_CODENAME"]
	dist, known := distributions[name]
	if !known {
		return fmt.Errorf("no PostgreSQL with PostGIS, pgvector and pg_trgm here, and no recipe to install it on %s: %s",
			name, alternatives)
	}
	if err := os.MkdirAll(tools, 0o755); err != nil {
		return fmt.Errorf("make directory for PostgreSQL: %w", err)
	}
	packages, err := newAPT(filepath.Join(tools, "apt"), release["VERSION_CODENAME"], dist.buildVector)
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
	wanted := dist.packages
	if dist.buildVector {
		wanted = append(wanted[:len(wanted):len(wanted)], "gcc", "make", "libc6-dev")
	}
	if err := packages.install(ctx, wanted...); err != nil {
		return err
	}
	if !dist.buildVector {
		return nil
	}
	fmt.Fprintln(log, "building pgvector from the distribution's source package")
	return buildVector(ctx, packages, dist.major, vectorBuild{bin: "/usr/lib/postgresql/" + dist.major + "/bin"})
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
