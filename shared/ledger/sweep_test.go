package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
)

func TestASweepSendsAHundredMessagesAtMost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 103 {
		b.submitted()
	}
	if sent, err := ledger.Sweep(t.Context(), b.box, time.Now().Add(time.Hour), time.Minute); err != nil || sent != 100 {
		t.Errorf("sent %d (error %v), want 100", sent, err)
	}
}

// What a report shows of the ledger is computed from all its events: two transactions must not do so at once.
func TestLockReportsLocksTheReportsOfASubmission(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in, out, submission := b.submitted(), b.submitted(), database.NewID()
	b.exec(`INSERT INTO ledger_submissions (id, topic, topic_id, batch_size, message, next_attempt_at, created_at, updated_at)
		VALUES ($1, 'reports', '0.0.1001', 0, '{}', now(), now(), now())`, submission)
	b.exec(`UPDATE ledger_anchors SET submission_id = $1 WHERE report_id = $2`, submission, in)
	err := b.db.InTx(t.Context(), func(tx *database.Tx) error {
		if err := ledger.LockReports(t.Context(), tx, submission); err != nil {
			return err
		}
		const lock = `SELECT FROM reports WHERE id = $1 FOR NO KEY UPDATE NOWAIT`
		var refused *pgconn.PgError
		if _, err := b.owner.Exec(t.Context(), lock, in); !errors.As(err, &refused) || refused.Code != "55P03" {
			t.Errorf("the report of the submission: got %v, want that it is locked", err)
		}
		if _, err := b.owner.Exec(t.Context(), lock, out); err != nil {
			t.Errorf("another report is locked: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
