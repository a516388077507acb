package web

import (
	"context"
	_ "embed" // the page

	"github.com/lafaekstreet/backend/shared/report"
)

//go:embed pages/new_report.html
var newReportHTML string

// newReport renders the form of a report. It works without a connection after the first visit: see static/service_worker.js.
func (w *Web) newReport(ctx context.Context, in *PageInput) (*pageOutput, error) {
	ctx, v := w.view(ctx, *in)
	current, err := w.settings.Current(ctx)
	if err != nil {
		return nil, err
	}
	return v.render(content{
		title: v.t("page.new_report.title"), description: v.t("page.new_report.description"), current: "/report",
		head:   v.stylesheet("new_report.css"),
		main:   literal(newReportHTML),
		values: map[string]fragment{"kinds": v.kinds()},
		starts: true, modules: []string{"core.js", "sign_in.js", "outbox.js", "picture.js", "new_report_place.js", "new_report_waiting.js", "new_report_draft.js", "new_report_photo.js", "new_report_fate.js", "new_report.js"},
		topics: []string{"new_report"},
		data:   map[string]any{"area": current.Area},
		// A service worker is a script, so its address goes through a policy.
		trustedTypes: "report-worker",
	})
}

// kinds are the issue types to choose one from.
func (v view) kinds() fragment {
	var out []fragment
	for _, kind := range report.IssueTypes() {
		out = append(out, markup(`<label class="kind"><input type="radio" name="issue_type" value="%s"><svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="%s"/></svg><span>%s</span></label>`,
			text(string(kind)), text(kindDrawing(kind)), text(v.label("issue_type", string(kind)))))
	}
	return joined(out)
}

// kindDrawing is the path of an icon for an issue type, on 24 by 24 units.
func kindDrawing(kind report.IssueType) string {
	return map[report.IssueType]string{
		report.Pothole:      "M2 9h5c0 5 2 7 5 7s5-2 5-7h5M9 20h6",
		report.RoadDamage:   "M7 3L3 21M17 3l4 18M13 3l-2 5 3 3-3 4 2 6",
		report.Flooding:     "M2 13c2-2 4-2 6 0s4 2 6 0 4-2 6 0M2 19c2-2 4-2 6 0s4 2 6 0 4-2 6 0M12 3v5M8 4v2M16 4v2",
		report.Drainage:     "M4 6h16v12H4zM9 6v12M15 6v12M4 12h16",
		report.StreetLight:  "M6 22V6a4 4 0 018 0v1M11 7h6l1 4h-8zM14 14v3M10 13l-1 2M18 13l1 2",
		report.TrafficSign:  "M12 2l7 6-7 6-7-6zM12 14v8M12 6v3",
		report.Bridge:       "M2 8h20M2 18v-6c5 0 5-4 5-4M22 18v-6c-5 0-5-4-5-4M7 18c0-6 10-6 10 0",
		report.Sidewalk:     "M13 4a1 1 0 100-2 1 1 0 000 2zM12 7l-3 4M12 7v6l3 3v5M12 13l-3 8M12 7l4 4M3 22h18",
		report.Debris:       "M3 20l4-8 4 3 3-7 7 12zM6 6l2 2M16 4l-1 2",
		report.Waste:        "M5 7h14M9 7V4h6v3M7 7l1 14h8l1-14M10 11v6M14 11v6",
		report.WaterSupply:  "M4 10h9a4 4 0 014 4v1h-4M4 14h6v-4M9 10V6M6 6h6M15 18c-1 2-1 3 0 3s1-1 0-3",
		report.OtherProblem: "M12 3a9 9 0 100 18 9 9 0 000-18zM8 12h.01M12 12h.01M16 12h.01",
	}[kind]
}
