package reportwrite_test

import (
	"testing"

	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

func TestDuplicatesOfARejectedReportWaitForAPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mod := b.actor(report.ActorModerator)
	original, other := b.report(report.Pending), b.report(report.Duplicate)
	link := report.AboutID(original)
	duplicate := b.report(report.Pending)
	if _, err := b.move(reportwrite.Move{Report: report.AboutID(duplicate), To: report.Duplicate, By: mod, DuplicateOf: &link}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.move(reportwrite.Move{Report: link, To: report.Rejected, By: report.AI(), Note: "No road."}); err != nil {
		t.Fatal(err)
	}
	const waiting = `SELECT count(*) FROM reports WHERE id = $1 AND ai_status = 'needs_review' AND status = 'duplicate' AND version = 3`
	if b.count(waiting, duplicate) != 1 {
		t.Error("nobody is asked to look at the duplicate of a rejected report")
	}
	if b.count(`SELECT count(*) FROM reports WHERE id = $1 AND version = 1`, other) != 1 {
		t.Error("a duplicate of something else was changed")
	}
	if _, err := b.move(reportwrite.Move{Report: report.AboutID(duplicate), To: report.Pending, By: mod}); err != nil {
		t.Fatal(err)
	}
	if b.count(`SELECT count(*) FROM reports WHERE id = $1 AND ai_status = 'completed' AND duplicate_of IS NULL`, duplicate) != 1 {
		t.Error("somebody has decided, and it still waits")
	}
}
