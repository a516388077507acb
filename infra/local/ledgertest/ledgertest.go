// Package ledgertest writes ledger events for tests that put reports straight into the database.
package ledgertest

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// Submit writes the first ledger event of a report.
func Submit(t testing.TB, db *pgxpool.Pool, id uuid.UUID) {
	t.Helper()
	err := outbox.New(&database.DB{Pool: db}, nil, slog.New(slog.DiscardHandler)).Do(t.Context(), func(tx *outbox.Tx) error {
		chain := ledger.AskChain(tx, report.AboutID(id), nil)
		if err := tx.Flush(t.Context()); err != nil {
			return err
		}
		_, err := chain.Get().Append(t.Context(), tx, ledger.Event{Type: ledger.Submitted, At: time.Now(), Actor: ledger.Actor{Kind: "citizen"}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), `DELETE FROM outbox WHERE queue = 'anchor'`); err != nil {
		t.Fatal(err)
	}
}
