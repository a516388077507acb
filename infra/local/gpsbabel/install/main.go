// Command install gets GPSBabel from the packages of the distribution, if the machine has none. Root installs it; every
// other account unpacks it under .run. The tests that need it are left out where that does not work, so only root gets an
// error.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/lafaekstreet/backend/infra/local/debian"
	"github.com/lafaekstreet/backend/infra/local/gpsbabel"
)

const name = "gpsbabel" // of the package

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if gpsbabel.Installed(gpsbabel.Unpacked) {
		return
	}
	if err := install(ctx, gpsbabel.Unpacked); err != nil {
		fmt.Fprintln(os.Stderr, "note: GPSBabel is missing ("+strings.ReplaceAll(err.Error(), "\n", "; ")+
			"): whether other programs read our GPX files is not tested")
		if os.Geteuid() == 0 {
			os.Exit(1)
		}
	}
}

func install(ctx context.Context, tree string) error {
	release, err := debian.ReadRelease("/etc/os-release")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "GPSBabel is missing; getting the distribution's package")
	packages, err := debian.Open(ctx, tree+"-lists", release.Codename, "")
	if err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		return errors.Join(packages.Install(ctx, name), packages.RemoveLists())
	}
	return errors.Join(unpack(ctx, packages, tree), packages.RemoveLists())
}

// unpack unpacks the package, and those that it needs and the machine lacks. The tree has its name when it is complete.
func unpack(ctx context.Context, packages *debian.Packages, tree string) error {
	dir, err := os.MkdirTemp("", "gpsbabel-packages-")
	if err != nil {
		return fmt.Errorf("make package directory: %w", err)
	}
	defer os.RemoveAll(dir)
	names, err := packages.Missing(ctx, name)
	if err != nil {
		return err
	}
	if err := packages.Download(ctx, dir, names...); err != nil {
		return err
	}
	if err := debian.UnpackAll(ctx, dir, tree+"-part"); err != nil {
		return err
	}
	if err := os.Rename(tree+"-part", tree); err != nil {
		return fmt.Errorf("name the unpacked packages: %w", err)
	}
	return nil
}
