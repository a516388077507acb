package web

import (
	"testing"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// What was found in the picture is said as it is, and how sure that is for AI alone: a person's finding has a confidence of 1.
func TestWhatWasFoundInThePicture(t *testing.T) {
	t.Parallel()
	yes, no, person, ai := true, false, 1.0, 0.87
	seen, notSeen := view{lang: locale.English}.t("page.report.check_seen"), view{lang: locale.English}.t("page.report.check_not_seen")
	sure, _ := locale.Text(locale.English, "page.report.check_sure", map[string]string{"percent": "87"})
	for want, a := range map[string]reportread.Assessment{
		seen: {IsRelevant: &yes, Confidence: &person}, notSeen: {IsRelevant: &no, Confidence: &person},
		seen + " " + sure: {IsRelevant: &yes, Confidence: &ai}, notSeen + " " + sure: {IsRelevant: &no, Confidence: &ai},
	} {
		a.Status = report.AICompleted
		if got := (shownReport{view: view{lang: locale.English}, Report: reportread.Report{AI: &a}}).check(); got != want || seen == "" || notSeen == "" {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
