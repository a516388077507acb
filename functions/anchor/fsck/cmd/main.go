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
	"github.com/lafaekstreet/backend/shared/timestamp"
)

type settings struct {
	Database database.Config
	Ledger   ledger.Config
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
	case result.Found > 0:
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
	check := &fsck.Check{DB: db, Config: s.Ledger, Signatures: signatures, Out: os.Stdout}
	if s.Ledger.Anchored() {
		check.Mirror = ledger.NewMirror(s.Ledger)
	}
	if err := buckets(ctx, env, check, pictures); err != nil {
		return nil, err
	}
	return check.Run(ctx)
}

// buckets gives the check those that the environment names. The check says what it leaves out.
func buckets(ctx context.Context, env config.Env, check *fsck.Check, pictures bool) error {
	aws, err := config.LoadAWS(ctx, env)
	if err != nil {
		return err
	}
	if env["LOG_BUCKET"] != "" {
		s, err := config.Parse[storage.LogConfig](env)
		if err != nil {
			return err
		}
		log, err := storage.NewLog(aws, s, timestamp.System{})
		if err != nil {
			return err
		}
		check.Log = log
	}
	if env["MEDIA_BUCKET"] != "" && pictures {
		s, err := config.Parse[storage.Config](env)
		if err != nil {
			return err
		}
		check.Pictures = storage.New(aws, s)
	}
	return nil
}
