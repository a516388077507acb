package web

import (
	"context"
	_ "embed" // the page

	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/reportread"
)

//go:embed pages/map.html
var mapHTML string

// mapPage renders the page.
func (w *Web) mapPage(ctx context.Context, in *PageInput) (*pageOutput, error) {
	ctx, v := w.view(ctx, *in)
	found, err := w.reader.List(ctx, reportread.Public(), reportread.Query{Query: page.Query{Page: 1, Size: 10}})
	if err != nil {
		return nil, err
	}
	return v.render(v.withMap(content{title: v.t("page.map.title"), main: literal(mapHTML), values: map[string]fragment{"reports": v.rows(found.Items)},
		current: "/map", modules: []string{"core.js"}, topics: []string{"map"}}))
}
