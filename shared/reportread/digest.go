package reportread

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/report"
)

// Digest is what waits for a member of staff: the same figures as the queues, and the ids of the first reports of each.
type Digest struct {
	Counts                              QueueCounts
	New, DueToday, Overdue, NeedsReview []uuid.UUID
}

// Empty reports whether nothing waits that the digest speaks of.
func (d Digest) Empty() bool {
	return d.Counts.New+d.Counts.DueToday+d.Counts.Overdue+d.Counts.NeedsReview == 0
}

// ReadDigest reads the digest of c from one snapshot, with at most limit reports of each queue: what is due first, else what is
// newest.
func ReadDigest(ctx context.Context, db *database.DB, c identity.Caller, limit int) (Digest, error) {
	batch := &database.Batch{}
	batch.Queue(useIndexes)
	counts, err := askCounts(batch, c, AgencyFilter{})
	if err != nil {
		return Digest{}, err
	}
	first := func(condition func(w *where) string, order string) *database.Ask[[]uuid.UUID] {
		w := &where{}
		w.and(condition(w))
		return database.AskRows(batch, pgx.RowTo[uuid.UUID], `SELECT r.id FROM reports r WHERE `+w.sql()+` ORDER BY `+order+` LIMIT `+w.bind("?", limit), w.args...)
	}
	queue := func(kind report.Queue) func(w *where) string {
		return func(w *where) string { return queueCondition(w, kind, c) }
	}
	const byAge, byDeadline = "r.created_at DESC, r.id DESC", "r.due_at, r.id"
	news, overdue, review := first(queue(report.QueueNew), byAge), first(queue(report.QueueOverdue), byDeadline), first(queue(report.QueueNeedsReview), byAge)
	today := first(func(w *where) string { return dueToday(w, c) }, byDeadline)
	if err := batch.SendSnapshot(ctx, db); err != nil {
		return Digest{}, fmt.Errorf("read digest: %w", err)
	}
	return Digest{Counts: counts.Get(), New: news.Get(), DueToday: today.Get(), Overdue: overdue.Get(), NeedsReview: review.Get()}, nil
}
