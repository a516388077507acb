package migrate_test

import (
	"errors"
	"testing"

	"github.com/lafaekstreet/backend/functions/migrate"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/translog"
)

// The first answers after a deploy have receipts.
func TestTheKeyOfReceiptsIsNamed(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Exec(`UPDATE log_counter SET receipts_vkey = NULL`)
	m, err := migrate.New(w.OwnerEnv())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	receipts, err := ledger.NewReceipts(ledger.ReceiptsConfig{Origin: w.Env["LOG_ORIGIN"], Key: w.Env["RECEIPTS_KEY"]})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.Text(`SELECT receipts_vkey || (SELECT count(*) FROM ledger_events) FROM log_counter`); got != receipts.VKey()+"1" {
		t.Errorf("the key in force and the number of events: %s", got)
	}
	other := w.OwnerEnv()
	other["LOG_ORIGIN"] = "another/log"
	if m, err = migrate.New(other); err != nil {
		t.Fatal(err)
	}
	if err := m.Run(t.Context()); !errors.Is(err, ledger.ErrOtherOrigin) {
		t.Errorf("another origin: %v", err)
	}
}

// A database that is older than the published log takes no events, and migrate says what to do.
func TestAnOlderDatabaseIsHalted(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	aws, err := config.LoadAWS(t.Context(), w.Env)
	if err != nil {
		t.Fatal(err)
	}
	log, err := storage.NewLog(aws, storage.LogConfig{Bucket: testenv.LogBucket, PathStyle: true, LockMode: storage.LockNone}, timestamp.System{})
	if err != nil {
		t.Fatal(err)
	}
	checkpoint := translog.File{Key: translog.CheckpointKey, Data: []byte(w.Env["LOG_ORIGIN"] + "\n1000\nAAAA\n")}
	if err := log.Put(t.Context(), checkpoint); err != nil {
		t.Fatal(err)
	}
	m, err := migrate.New(w.OwnerEnv())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(t.Context()); !errors.Is(err, migrate.ErrHalted) {
		t.Errorf("got %v", err)
	}
	if got := w.Text(`SELECT halted FROM log_counter`); got != ledger.HaltedByRestore {
		t.Errorf("halted: %s", got)
	}
}
