package web

import (
	"context"
	_ "embed" // the page

	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/reportread"
)

//go:embed pages/home.html
var homeHTML string

// home renders the page.
func (w *Web) home(ctx context.Context, in *PageInput) (*pageOutput, error) {
	ctx, v := w.view(ctx, *in)
	found, err := w.reader.List(ctx, reportread.Public(), reportread.Query{Query: page.Query{Page: 1, Size: 10}})
	if err != nil {
		return nil, err
	}
	return v.render(content{title: v.t("page.home.title"), main: literal(homeHTML), values: map[string]fragment{"reports": v.rows(found.Items)}})
}
