// Command nodejs installs the Node.js package of the distribution if the machine has no Node.js. The CDK library runs in
// Node.js. The command needs root: Debian's Node.js reads files at fixed paths, so unpacking it elsewhere does not work.
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
	return errors.Join(packages.Install(ctx, "nodejs"), packages.RemoveLists())
}
