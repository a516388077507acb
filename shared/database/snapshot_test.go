package database_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// All statements of a snapshot see one state of the database, and none may change it. The connection can be used again.
func TestSnapshotIsReadOnlyAndOfOneMoment(t *testing.T) {
	t.Parallel()
	db, _ := transactions(t)
	for range 2 {
		batch := &database.Batch{}
		level := database.AskRow(batch, pgx.RowTo[string], `SHOW transaction_isolation`)
		readOnly := database.AskRow(batch, pgx.RowTo[string], `SHOW transaction_read_only`)
		if err := batch.SendSnapshot(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		if level.Get() != "repeatable read" || readOnly.Get() != "on" {
			t.Errorf("isolation %s, read only %s", level.Get(), readOnly.Get())
		}
		failing := &database.Batch{}
		failing.Queue(`SELECT 1 / 0`)
		if err := failing.SendSnapshot(t.Context(), db); err == nil {
			t.Error("a failing statement is no error")
		}
	}
	err := db.InTx(t.Context(), func(tx *database.Tx) error {
		batch := &database.Batch{}
		level := database.AskRow(batch, pgx.RowTo[string], `SHOW transaction_isolation`)
		if err := batch.SendSnapshot(t.Context(), tx); err != nil {
			return err
		}
		if level.Get() != "read committed" {
			t.Errorf("in a transaction: isolation %s", level.Get())
		}
		_, err := tx.Exec(t.Context(), `SELECT 1`)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
