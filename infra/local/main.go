// Command local runs the whole system on this machine; see infra/local/system.
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

// stateDir is the directory that keeps everything between runs, in the current directory.
const stateDir = ".run"

func main() { os.Exit(run()) }

func run() int {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer restore()
	terminal := os.Stdout
	logs, err := divertLogs(stateDir, os.Stderr)
	if err != nil {
		return printError(err)
	}
	defer logs.Close()
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err != nil {
		return printError(err)
	}
	running, err := system.Start(ctx, system.Options{Dir: stateDir, Env: env, Out: terminal, Log: os.Stderr})
	if err != nil {
		if ctx.Err() != nil {
			return 130 // stopped by the user
		}
		return printError(err)
	}
	fmt.Fprintln(terminal, "LafaekStreet is running. Ctrl-C stops it. All data is kept for the next start.")
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
		return printError(err)
	}
	return 0
}

// printError prints an error in one line and returns the exit code.
func printError(err error) int {
	fmt.Fprintln(errorStream, "lafaekstreet: "+strings.ReplaceAll(err.Error(), "\n", "; "))
	return 1
}
