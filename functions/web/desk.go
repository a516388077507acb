package web

import (
	"context"
	_ "embed" // the page
)

//go:embed pages/desk.html
var deskHTML string

// desk renders the page.
func (w *Web) desk(ctx context.Context, in *PageInput) (*pageOutput, error) {
	_, v := w.view(ctx, *in)
	return v.render(content{title: v.t("page.desk.title"), current: "/desk", main: literal(deskHTML), modules: []string{"core.js", "sign_in.js"}, topics: []string{"desk", "desk_report"}})
}
