package web

import (
	"context"
	_ "embed" // the page
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

//go:embed pages/home.html
var homeHTML string

type homeInput struct {
	PageInput
	Find string `query:"q" maxLength:"100" doc:"What the search box sends: a report number, also without its beginning, leads to the report, anything else to the map" example:"LS-2026-000123"`
}

// home renders the start page, or leads to what the search box asks for.
func (w *Web) home(ctx context.Context, in *homeInput) (*pageOutput, error) {
	ctx, v := w.view(ctx, in.PageInput)
	if find := strings.TrimSpace(in.Find); find != "" {
		return w.find(ctx, find)
	}
	found, err := w.reader.List(ctx, reportread.Public(), reportread.Query{Query: page.Query{Page: 1, Size: 10}})
	if err != nil {
		return nil, err
	}
	figures, err := opendata.ReadSummary(ctx, w.db, w.clock.Now())
	if err != nil {
		return nil, err
	}
	values := map[string]fragment{"reports": v.rows(found.Items), "figures": v.homeFigures(figures), "empty": ""}
	if len(found.Items) == 0 {
		values["empty"] = markup(`<p>%s</p>`, text(v.t("page.home.empty")))
	}
	return v.render(content{title: v.t("page.home.title"), description: v.t("page.home.what"), head: v.stylesheet("home.css"), main: literal(homeHTML), values: values,
		modules: []string{"home.js"}, silent: true})
}

// homeFigures says in one line how many reports are open, fixed and new.
func (v view) homeFigures(s *opendata.StatisticsSummary) fragment {
	n := func(count int) string { return locale.Number(v.lang, count) }
	return text(v.with("page.home.figures", map[string]string{
		"open":  n(s.ByStatus[string(report.Pending)] + s.ByStatus[string(report.Verified)] + s.ByStatus[string(report.InProgress)]),
		"fixed": n(s.ByStatus[string(report.Fixed)]), "month": n(s.ReportsThisMonth)}))
}

// find leads to a report or to the map.
func (w *Web) find(ctx context.Context, typed string) (*pageOutput, error) {
	to := "/map?q=" + url.QueryEscape(typed)
	if numbers := report.TypedNumber(typed, w.clock.Now()); len(numbers) > 0 {
		number, err := w.known(ctx, numbers)
		if err != nil {
			return nil, err
		}
		to = "/r/" + number
	}
	return &pageOutput{Status: http.StatusSeeOther, Location: to}, nil
}

// known returns the first of these numbers that a report has; the first of all if none has.
func (w *Web) known(ctx context.Context, numbers []string) (string, error) {
	if len(numbers) == 1 {
		return numbers[0], nil
	}
	var number string
	const query = `SELECT n FROM unnest($1::text[]) WITH ORDINALITY AS typed (n, at)
		ORDER BY EXISTS (SELECT FROM reports WHERE report_number = n) DESC, at LIMIT 1`
	if err := w.db.QueryRow(ctx, query, numbers).Scan(&number); err != nil {
		return "", fmt.Errorf("find report by number: %w", err)
	}
	return number, nil
}
