package web

import (
	"context"
	_ "embed" // the page
)

//go:embed pages/admin.html
var adminHTML string

// admin renders the page.
func (w *Web) admin(ctx context.Context, in *PageInput) (*pageOutput, error) {
	_, v := w.view(ctx, *in)
	return v.render(content{title: v.t("page.admin.title"), current: "/admin", main: literal(adminHTML), modules: []string{"core.js", "sign_in.js"}, topics: []string{"admin"}})
}
