package web

import (
	"context"
	_ "embed" // the page
)

//go:embed pages/me.html
var meHTML string

// me renders the page.
func (w *Web) me(ctx context.Context, in *PageInput) (*pageOutput, error) {
	_, v := w.view(ctx, *in)
	return v.render(content{title: v.t("page.me.title"), current: "/me", main: literal(meHTML), modules: []string{"core.js", "sign_in.js"}, topics: []string{"me"}})
}
