package postgres

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// unpack puts the packages' files under tools instead of installing them. PostgreSQL finds its share directory
// relative to its binaries, so the whole tree works from there.
func unpack(ctx context.Context, packages *apt, dist distribution, tools string, log io.Writer) error {
	return errors.New("PostgreSQL with PostGIS, pgvector and pg_trgm is missing and only root can install it: " +
		"run once as root, or " + alternatives)
}

// unpackedEnv is what programs under tools need to find their libraries and PROJ its data.
func unpackedEnv(tools string) []string {
	libraries := append(glob(filepath.Join(tools, "usr/lib/*-linux-gnu")), glob(filepath.Join(tools, "lib/*-linux-gnu"))...)
	return []string{
		"LD_LIBRARY_PATH=" + strings.Join(libraries, string(os.PathListSeparator)),
		"PROJ_DATA=" + filepath.Join(tools, "usr/share/proj"),
	}
}
