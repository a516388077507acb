package web

import (
	"context"
	_ "embed" // the page
)

//go:embed pages/desk.html
var deskHTML string

// desk renders the page of staff. It is the same for everybody; scripts fetch what is personal.
func (w *Web) desk(ctx context.Context, in *PageInput) (*pageOutput, error) {
	_, v := w.view(ctx, *in)
	return v.render(v.withMap(content{title: v.t("page.desk.title"), head: v.stylesheet("desk.css") + v.stylesheet("desk_report.css"), main: literal(deskHTML), wide: true,
		topics: []string{"desk", "desk_report"},
		starts: true, modules: []string{"core.js", "sign_in.js", "desk.js", "desk_address.js", "desk_list.js", "desk_filters.js", "desk_bulk.js", "desk_keys.js"}}))
}
