// Command node installs the distribution's Node.js, which the CDK's library runs in, where it is missing. It needs root:
// Debian's Node.js reads parts of itself from fixed places, so it cannot be unpacked elsewhere.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"github.com/lafaekstreet/backend/infra/local/debian"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := ensure(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "Node.js is missing: "+strings.ReplaceAll(err.Error(), "\n", "; ")+"; install Node.js 20 or later by hand")
		os.Exit(1)
	}
}

func ensure(ctx context.Context) error {
	if _, err := exec.LookPath("node"); err == nil {
		return nil
	}
	if os.Geteuid() != 0 {
		return errors.New("only root can install it")
	}
	release, err := debian.ReadRelease("/etc/os-release")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "Node.js is missing; installing the distribution's package")
	packages, err := debian.Open(ctx, ".run/node", release.Codename, "")
	if err != nil {
		return err
	}
	return errors.Join(packages.Install(ctx, "nodejs"), packages.Forget())
}
