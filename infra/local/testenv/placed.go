package testenv

import (
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// Submitted gives a report that a test has put into the database its first event.
func (w *System) Submitted(id uuid.UUID) {
	w.Helper()
	w.Do(func(tx *outbox.Tx) error {
		chain := ledger.AskChain(tx, report.AboutID(id), nil)
		if err := tx.Flush(w.Context()); err != nil {
			return err
		}
		_, err := chain.Get().Append(w.Context(), tx, ledger.Event{Type: ledger.Submitted, At: time.Now(), Actor: ledger.Actor{Kind: "citizen"}})
		return err
	})
}

// Do runs f in one transaction with its messages.
func (w *System) Do(f func(tx *outbox.Tx) error) {
	w.Helper()
	if err := outbox.New(&database.DB{Pool: w.DB}, nil, slog.New(slog.DiscardHandler)).Do(w.Context(), f); err != nil {
		w.Fatal(err)
	}
}
