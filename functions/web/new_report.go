package web

import (
	"context"
	_ "embed" // the page
)

//go:embed pages/new_report.html
var newReportHTML string

// newReport renders the page.
func (w *Web) newReport(ctx context.Context, in *PageInput) (*pageOutput, error) {
	_, v := w.view(ctx, *in)
	return v.render(content{title: v.t("page.new_report.title"), current: "/report", main: literal(newReportHTML), modules: []string{"core.js", "sign_in.js"}, topics: []string{"new_report"}})
}
