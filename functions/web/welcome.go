package web

import (
	"context"
	_ "embed" // the page
)

//go:embed pages/welcome.html
var welcomeHTML string

// welcome renders the page of an invitation. The token of the link is read by a script alone.
func (w *Web) welcome(ctx context.Context, in *PageInput) (*pageOutput, error) {
	_, v := w.view(ctx, *in)
	return v.render(content{title: v.t("page.welcome.title"), main: literal(welcomeHTML), starts: true, modules: []string{"core.js", "sign_in.js", "welcome.js"}, topics: []string{"welcome"}})
}
