package web

import (
	"context"
	_ "embed" // the page
)

//go:embed pages/stats.html
var statsHTML string

// stats renders the page.
func (w *Web) stats(ctx context.Context, in *PageInput) (*pageOutput, error) {
	_, v := w.view(ctx, *in)
	return v.render(content{title: v.t("page.stats.title"), current: "/stats", main: literal(statsHTML), modules: []string{"core.js", "sign_in.js"}, topics: []string{"stats"}})
}
