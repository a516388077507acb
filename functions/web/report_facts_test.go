package web

import (
	"testing"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// What AI found in the picture is said as it is, with how sure it is. A person's finding, which has a confidence of 1, and a
// moderator's change of the status stand instead of it; an official's change does not.
func TestWhatWasFoundInThePicture(t *testing.T) {
	t.Parallel()
	yes, no, person, ai := true, false, 1.0, 0.87
	seen, notSeen := view{lang: locale.English}.t("page.report.check_seen"), view{lang: locale.English}.t("page.report.check_not_seen")
	sure, _ := locale.Text(locale.English, "page.report.check_sure", map[string]string{"percent": "87"})
	said := func(a reportread.Assessment, by report.ActorKind) string {
		a.Status = report.AICompleted
		old := report.Pending
		return shownReport{view: view{lang: locale.English}, Report: reportread.Report{AI: &a, StatusHistory: []reportread.Step{{OldStatus: &old, ChangedBy: string(by)}}}}.check()
	}
	for want, a := range map[string]reportread.Assessment{
		seen + " " + sure: {IsRelevant: &yes, Confidence: &ai}, notSeen + " " + sure: {IsRelevant: &no, Confidence: &ai},
	} {
		for _, by := range []report.ActorKind{report.ActorAI, report.ActorOfficial} {
			if got := said(a, by); got != want || seen == "" || notSeen == "" {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		for _, by := range []report.ActorKind{report.ActorModerator, report.ActorAdmin} {
			if got := said(a, by); got != "Checked by a moderator." {
				t.Errorf("after the change of a %s: %q", by, got)
			}
		}
		a.Confidence = &person
		if got := said(a, report.ActorAI); got != "Checked by a moderator." {
			t.Errorf("a person's finding: %q", got)
		}
	}
}
