package web

import (
	"context"
	_ "embed" // the page
)

//go:embed pages/me.html
var meHTML string

// me renders the page of a person. It is the same for everybody; scripts fetch what is personal.
func (w *Web) me(ctx context.Context, in *PageInput) (*pageOutput, error) {
	_, v := w.view(ctx, *in)
	return v.render(content{title: v.t("page.me.title"), current: "/me", main: literal(meHTML),
		head:   v.stylesheet("me.css"),
		starts: true, modules: []string{"core.js", "sign_in.js", "me.js", "me_reports.js", "me_list.js", "report_actions.js"},
		topics: []string{"me", "actions", "stop"},
		data:   map[string]any{"public_for_ever": v.t("page.public_for_ever")}})
}
