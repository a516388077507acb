package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lafaekstreet/backend/infra/local/debian"
)

// unpack unpacks the packages into tools instead of installing them. PostgreSQL finds its directories relative to its
// binaries, so it works in any place.
func unpack(ctx context.Context, packages *debian.Packages, dist distribution, tools string, log io.Writer) error {
	if !exists("/usr/share/zoneinfo/UTC") {
		return errors.New("the time zone data is missing: install the package tzdata as root, or " + alternatives)
	}
	fmt.Fprintf(log, "not root: unpacking the packages under %s\n", tools)
	dir, err := os.MkdirTemp("", "postgres-packages-")
	if err != nil {
		return fmt.Errorf("make package directory: %w", err)
	}
	defer os.RemoveAll(dir)
	names, err := packages.Missing(ctx, dist.packages()...)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, unneeded)
	// PostgreSQL itself must be in tools even if the machine has some of its packages.
	names = append(names, dist.packages()...)
	if err := packages.Download(ctx, dir, names...); err != nil {
		return err
	}
	if err := debian.UnpackAll(ctx, dir, tools); err != nil {
		return err
	}
	if dist.buildVector {
		fmt.Fprintln(log, "building pgvector from the distribution's source package")
		target := vectorBuild{bin: dist.bin(tools), env: unpackedEnv(tools)}
		if err := buildUnpacked(ctx, packages, dist.major, target); err != nil {
			return err
		}
	}
	// The alternatives system makes this link when packages are installed. It is made last, because findInstalled takes an
	// installation with all extensions for a complete one.
	control := filepath.Join(tools, "usr/share/postgresql", dist.major, "extension/postgis.control")
	if err := os.Symlink("postgis-3.control", control); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("link PostGIS: %w", err)
	}
	return packages.RemoveLists()
}

// unneededPrefixes are the packages that only JIT compilation, rasters and 3D geometries need. The system uses none of
// them. They are three quarters of the download.
var unneededPrefixes = []string{"libllvm", "libz3-", "libgdal", "gdal-", "libpoppler", "libspatialite", "libhdf",
	"libxerces", "libaom", "libx265", "libde265", "libdav1d", "librav1e", "libsvtav1", "libheif", "libsfcgal", "libboost",
	"libcgal", "liblapack", "libblas", "libgfortran", "libarmadillo", "libarpack", "libsuperlu", "libnetcdf", "libkml",
	"libmariadb", "mariadb", "libmysql", "mysql", "libodbc", "unixodbc", "libcfitsio", "libogdi", "libopenjp2", "libnss3",
	"font", "locales", "perl", "libperl", "libjson-perl"}

func unneeded(name string) bool {
	return slices.ContainsFunc(unneededPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// unpackedEnv is what programs in tools need in their environment to find their libraries and the data of PROJ.
func unpackedEnv(tools string) []string {
	return []string{
		"LD_LIBRARY_PATH=" + debian.LibraryPath(tools),
		"PROJ_DATA=" + filepath.Join(tools, "usr/share/proj"),
	}
}

// buildUnpacked builds pgvector with the compiler of the machine, else with one that it unpacks for this build only.
func buildUnpacked(ctx context.Context, packages *debian.Packages, major string, target vectorBuild) error {
	if hasCompiler() {
		return buildVector(ctx, packages, major, target)
	}
	dir, err := os.MkdirTemp("", "compiler-")
	if err != nil {
		return fmt.Errorf("make compiler directory: %w", err)
	}
	defer os.RemoveAll(dir)
	names, err := packages.Missing(ctx, "gcc", "make", "libc6-dev")
	if err != nil {
		return err
	}
	// The linker needs these in one tree, even if the machine has them.
	names = append(names, "libc6", "libc6-dev", "linux-libc-dev", "libgcc-s1")
	if err := packages.Download(ctx, dir, names...); err != nil {
		return err
	}
	root := filepath.Join(dir, "root")
	if err := debian.UnpackAll(ctx, dir, root); err != nil {
		return err
	}
	// Programs must not load the C library of the tree, so LD_LIBRARY_PATH names usr/lib of the tree and not lib.
	libraries := strings.Join(glob(filepath.Join(root, "usr/lib/*-linux-gnu")), string(os.PathListSeparator))
	for i, variable := range target.env {
		if value, ok := strings.CutPrefix(variable, "LD_LIBRARY_PATH="); ok {
			target.env[i] = "LD_LIBRARY_PATH=" + libraries + string(os.PathListSeparator) + value
		}
	}
	target.env = append(target.env, "PATH="+filepath.Join(root, "usr/bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	target.make = append(target.make, "CC=gcc --sysroot="+root)
	return buildVector(ctx, packages, major, target)
}

func hasCompiler() bool {
	for _, program := range []string{"gcc", "make"} {
		if _, err := exec.LookPath(program); err != nil {
			return false
		}
	}
	return exists("/usr/include/stdio.h")
}
