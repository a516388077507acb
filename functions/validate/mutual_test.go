package validate

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

// A verdict names a report that another verdict has locked as a possible duplicate, and does not wait for it. If both waited, two
// reports about one place would be a deadlock.
func TestVerdictDoesNotWaitForItsCandidate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	current, err := b.w.settings.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids := []uuid.UUID{b.report(-8.55, 125.57), b.report(-8.55, 125.57)}
	b.attach(ids[0], "processed", 1)
	b.exec(`UPDATE reports SET title = 'Buraku boot iha dalan'`)
	s, err := b.w.readSubject(t.Context(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	v := verdict{settings: current, pictures: []judgement{{picture: s.pictures[0], outcome: report.PictureRelevant,
		relevance: &relevance{Relevant: true, Confidence: 1}, damage: &damage{IssueType: report.Pothole, Score: 5, Confidence: 1}}}}.combined(s)
	err = b.w.outbox.Do(t.Context(), func(tx *outbox.Tx) error {
		reportwrite.LockForChange(tx, report.AboutID(ids[1]), report.AI())
		if err := tx.Flush(t.Context()); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err := b.w.applyVerdict(ctx, s, v)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := one[int](b, `SELECT count(*) FROM duplicate_candidates WHERE report_id = $1 AND candidate_id = $2`, ids[0], ids[1]); n != 1 {
		t.Errorf("%d candidates, want 1", n)
	}
}
