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
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/storage"
)

type settings struct {
	Database database.Config
	Ledger   ledger.Config
	Storage  storage.Config
}

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
	case len(result.Findings) > 0:
		os.Exit(1)
	}
}

func run(ctx context.Context, signatures, pictures bool) (*fsck.Result, error) {
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err != nil {
		return nil, err
	}
	s, err := config.Parse[settings](env)
	if err != nil {
		return nil, err
	}
	db, err := database.Open(ctx, s.Database)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	check := fsck.Check{DB: db, Mirror: ledger.NewMirror(s.Ledger), Config: s.Ledger, Signatures: signatures, Out: os.Stdout}
	if pictures {
		aws, err := config.LoadAWS(ctx, env)
		if err != nil {
			return nil, err
		}
		check.Pictures = storage.New(aws, s.Storage)
	}
	return check.Run(ctx)
}
