package web

import (
	"context"
	_ "embed" // the page
)

//go:embed pages/welcome.html
var welcomeHTML string

// welcome renders the page.
func (w *Web) welcome(ctx context.Context, in *PageInput) (*pageOutput, error) {
	_, v := w.view(ctx, *in)
	return v.render(content{title: v.t("page.welcome.title"), current: "", main: literal(welcomeHTML), modules: []string{"core.js", "sign_in.js", "welcome.js"}, topics: []string{"welcome"}})
}
