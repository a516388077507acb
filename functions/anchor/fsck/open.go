package fsck

import (
	"context"
	"time"

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

// statementTimeout bounds a statement; a count of all events takes longer than what functions may do. The function migrate has 15 minutes.
const statementTimeout = 14 * time.Minute

// Open makes a check of the database that env names. If env names them, it also checks the mirror node and the bucket of the log,
// and the bucket of the pictures if pictures is true. The check says what it leaves out. The caller closes the database.
func Open(ctx context.Context, env config.Env, pictures bool) (*Check, *database.DB, error) {
	s, err := config.Parse[settings](env)
	if err != nil {
		return nil, nil, err
	}
	s.Database.StatementTimeout = statementTimeout
	check := &Check{Config: s.Ledger}
	if s.Ledger.Anchored() {
		check.Mirror = ledger.NewMirror(s.Ledger)
	}
	if err := check.buckets(ctx, env, pictures); err != nil {
		return nil, nil, err
	}
	db, err := database.Open(ctx, s.Database)
	if err != nil {
		return nil, nil, err
	}
	check.DB = db
	return check, db, nil
}

func (c *Check) buckets(ctx context.Context, env config.Env, pictures bool) error {
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
		c.Log = log
	}
	if env["MEDIA_BUCKET"] != "" && pictures {
		s, err := config.Parse[storage.Config](env)
		if err != nil {
			return err
		}
		c.Pictures = storage.New(aws, s)
	}
	return nil
}
