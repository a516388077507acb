package web

import (
	_ "embed" // the page
	"net/http"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
)

//go:embed pages/removed.html
var removedHTML string

// ofRemoved renders the page of a report that was taken down, with status 410: what it was, when, by whom in which capacity, why,
// and its proof.
func (v view) ofRemoved(t *report.Tombstone) (*pageOutput, error) {
	proof, err := v.proof(t.ReportNumber, "")
	if err != nil {
		return nil, err
	}
	own := map[string]fragment{
		"number": text(t.ReportNumber), "type": text(v.label("issue_type", string(t.IssueType))), "place": "", "reason": "", "appeal": "",
		"what": text(v.t("page.report.removed_" + string(t.Status))), "when": v.moment(t.RemovedAt), "by": text(v.t("page.by_" + string(t.RemovedBy))), "proof": proof,
	}
	if t.Municipality != nil {
		own["place"] = markup(" · %s", text(*t.Municipality))
	}
	if t.ReasonCode != nil {
		own["reason"] = markup("<dt>%s</dt><dd>%s</dd>", text(v.t("page.report.reason")), text(locale.Capitalized(v.t("notification.reason."+string(*t.ReasonCode)))))
	}
	if t.Status == report.TombstoneRejected {
		own["appeal"] = markup(`<p class="soft" id="may-appeal">%s</p>`, text(v.t("page.report.may_appeal")))
	}
	data := map[string]any{"number": t.ReportNumber, "removed": t.Status}
	return v.render(content{status: http.StatusGone, title: v.t("page.report.removed_"+string(t.Status)) + " · " + t.ReportNumber, head: v.stylesheet("report.css"), main: literal(removedHTML), values: own,
		modules: reportModules(), topics: []string{"act", "actions", "proof"}, data: v.withEvents(data), connect: []string{origin(v.mirror)}})
}
