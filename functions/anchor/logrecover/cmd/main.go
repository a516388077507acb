// Command cmd brings a restored backup up to the public log; `make log-recover` runs it while the functions are stopped. It has
// the configuration of the anchor function, and in DATABASE_OWNER_URL or DATABASE_URL the login that owns the tables. Its exit status is 1 if it fails. Then
// the events are as before, and the log takes no new ones.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/functions/anchor/logrecover"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

type settings struct {
	Database database.Owner
	Origin   string `env:"LOG_ORIGIN,required,notEmpty"`
	KeyID    string `env:"LOG_KMS_KEY_ID,required,notEmpty"`
	Log      storage.LogConfig
}

const (
	kmsTimeout = 10 * time.Second
	// statementTimeout bounds a statement of the recovery, which can be about many events.
	statementTimeout = 30 * time.Minute
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err != nil {
		return err
	}
	s, err := config.Parse[settings](env)
	if err != nil {
		return err
	}
	aws, err := config.LoadAWS(ctx, env)
	if err != nil {
		return err
	}
	published, err := storage.NewLog(aws, s.Log, timestamp.System{})
	if err != nil {
		return err
	}
	key := anchor.NewLogKey(kms.NewFromConfig(aws), s.KeyID, s.Origin, kmsTimeout)
	if err := key.Load(ctx); err != nil {
		return err
	}
	db, err := s.Database.Open(ctx, 2, statementTimeout)
	if err != nil {
		return err
	}
	defer db.Close()
	log := telemetry.NewLogger(os.Stderr, slog.LevelInfo)
	r := logrecover.Recovery{DB: db, Published: published, Origin: s.Origin, Keys: []string{key.VKey()}, Outbox: outbox.New(db, nil, log), Clock: timestamp.System{}}
	res, err := r.Run(ctx)
	if err != nil {
		return err
	}
	show(res)
	return nil
}

// show prints what came back and what is left to do.
func show(res *logrecover.Result) {
	if res.From == res.To {
		fmt.Println("the database has every published entry; the log takes events")
		return
	}
	fmt.Printf("entries %d to %d are back: of %d reports, %d of which the backup did not have; the log takes events\n", res.From, res.To-1, res.Reports, res.Created)
	for _, account := range res.Accounts {
		fmt.Printf("delete the account %s again: its person had deleted it\n", account)
	}
}
