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
	own := map[string]fragment{
		"number": text(t.ReportNumber), "type": text(v.t("label.issue_type." + string(t.IssueType))), "place": "", "reason": "",
		"what": text(v.t("page.report.removed_" + string(t.Status))), "at": text(t.RemovedAt.String()), "by": text(v.t("page.by_" + string(t.RemovedBy))),
		"when": text(t.RemovedAt.In(report.Zone()).Format("2006-01-02 15:04")), "mirror": text(v.mirror),
	}
	if t.Municipality != nil {
		own["place"] = markup(" · %s", text(*t.Municipality))
	}
	if t.ReasonCode != nil {
		why := v.t("notification.reason." + string(*t.ReasonCode))
		own["reason"] = markup("<dt>%s</dt><dd>%s</dd>", text(v.t("page.report.reason")), text(locale.Capitalized(why)))
	}
	return v.render(content{status: http.StatusGone, title: t.ReportNumber, main: literal(removedHTML), values: own, modules: []string{"core.js", "proof.js"}, topics: []string{"proof"},
		data: v.proofData(), connect: []string{origin(v.mirror)}})
}
