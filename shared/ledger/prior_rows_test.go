package ledger_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/report"
)

func (b *bundle) priorRows(id uuid.UUID) string { return b.priorRowsUnder(id, make([]byte, 32)) }

func (b *bundle) priorRowsUnder(id uuid.UUID, salt []byte) string {
	b.t.Helper()
	batch := &database.Batch{}
	rows := ledger.AskPriorRows(batch, report.AboutID(id))
	if err := batch.Send(b.t.Context(), b.db); err != nil {
		b.t.Fatal(err)
	}
	hash, err := rows.Get().Hash(salt)
	if err != nil {
		b.t.Fatal(err)
	}
	return hash
}

// Whatever a reader sees of a row from before the public log changes the hash of the baseline event.
func TestPriorRowsHash(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, move, comment := b.report(), database.NewID(), database.NewID()
	none := b.priorRows(id)
	b.exec(`INSERT INTO report_status_history (id, report_id, new_status, actor_kind, actor_id, created_at) VALUES ($1, $2, 'pending', 'citizen', $3, $4)`, move, id, b.user, noon)
	b.exec(`INSERT INTO report_comments (id, report_id, author_id, content, created_at) VALUES ($1, $2, $3, 'Boot', $4)`, comment, id, b.user, noon)
	seen := map[string]string{none: "no rows"}
	remember := func(what string) {
		t.Helper()
		hash := b.priorRows(id)
		if seen[hash] != "" {
			t.Errorf("%s: the hash is that of %s", what, seen[hash])
		}
		seen[hash] = what
	}
	remember("both rows")
	for _, change := range []string{"new_status = 'verified'", "old_status = 'pending'", "actor_kind = 'moderator'", "actor_id = NULL", "note = 'x'", "created_at = created_at + interval '1 microsecond'"} {
		b.exec(`UPDATE report_status_history SET `+change+` WHERE id = $1`, move)
		remember(change)
	}
	for _, change := range []string{"content = ''", "author_id = NULL", "is_official = true", "created_at = created_at + interval '1 microsecond'", "deleted_at = now()"} {
		b.exec(`UPDATE report_comments SET `+change+` WHERE id = $1`, comment)
		remember("comment: " + change)
	}
	b.exec(`UPDATE report_status_history SET seq = 2 WHERE id = $1`, move)
	b.exec(`DELETE FROM report_comments WHERE id = $1`, comment)
	if got := b.priorRows(id); got != none {
		t.Error("a row with an event of its own counts")
	}
}
