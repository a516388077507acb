// Command cmd runs the checks of package fsck; `make fsck` runs it. Its exit status
// is 1 if there are findings, and 2 if it could not finish.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/lafaekstreet/backend/functions/anchor/fsck"
	"github.com/lafaekstreet/backend/shared/config"
)

func main() {
	signatures := flag.Bool("signatures", true, "look up the transaction of every message and check its signature")
	pictures := flag.Bool("pictures", true, "read and hash every picture")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	result, err := run(ctx, *signatures, *pictures)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	case result.Found > 0:
		os.Exit(1)
	}
}

func run(ctx context.Context, signatures, pictures bool) (*fsck.Result, error) {
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err != nil {
		return nil, err
	}
	check, db, err := fsck.Open(ctx, env, pictures)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	check.Signatures, check.Out = signatures, os.Stdout
	return check.Run(ctx)
}
