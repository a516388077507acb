// Command local runs the whole system on this machine; see the package system.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/lafaekstreet/backend/infra/local/system"
	"github.com/lafaekstreet/backend/shared/config"
)

// stateDir keeps everything between runs, below the directory the program is started in.
const stateDir = ".run"

func main() { os.Exit(run()) }

func run() int {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer restore()
	terminal := os.Stdout
	logs, err := divertLogs(stateDir, os.Stderr)
	if err != nil {
		return complain(err)
	}
	defer logs.Close()
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err != nil {
		return complain(err)
	}
	running, err := system.Start(ctx, system.Options{Dir: stateDir, Env: env, Out: terminal, Log: os.Stderr})
	if err != nil {
		if ctx.Err() != nil {
			return 130 // stopped by the user
		}
		return complain(err)
	}
	fmt.Fprintln(terminal, "LafaekStreet is up. Ctrl-C stops it; everything is kept for the next start.")
	running.Describe(terminal)
	fmt.Fprintf(terminal, "  %-10s %s (warnings and errors are shown here too)\n", "logs", logs.path)
	var failure error
	select {
	case <-ctx.Done():
		fmt.Fprintln(terminal, "stopping")
	case failure = <-running.Failed():
	}
	restore() // a second Ctrl-C ends the process at once
	if err := errors.Join(failure, running.Stop()); err != nil {
		return complain(err)
	}
	return 0
}

// complain says in one line what is wrong.
func complain(err error) int {
	fmt.Fprintln(errorStream, "lafaekstreet: "+strings.ReplaceAll(err.Error(), "\n", "; "))
	return 1
}
