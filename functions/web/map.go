package web

import (
	"context"
	_ "embed" // the page
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

//go:embed pages/map.html
var mapHTML string

// mapInput has the filters of the page, as the API names them. A filter that cannot be read is no error: a person followed a
// link, and reads why all reports are shown.
type mapInput struct {
	PageInput
	Text         string `query:"q" maxLength:"100" doc:"Words, a report number, or the name of a place"`
	Status       string `query:"status" maxLength:"100"`
	IssueType    string `query:"issue_type" maxLength:"200"`
	Municipality string `query:"municipality" maxLength:"60"`
	DateFrom     string `query:"date_from" maxLength:"40"`
	DateTo       string `query:"date_to" maxLength:"40"`
	Box          string `query:"bbox" maxLength:"100" doc:"minLon,minLat,maxLon,maxLat in degrees"`
	Cursor       string `query:"cursor" maxLength:"300"`
}

// mapPage renders the list of reports with its filters. A script draws the map.
func (w *Web) mapPage(ctx context.Context, in *mapInput) (*pageOutput, error) {
	ctx, v := w.view(ctx, in.PageInput)
	if numbers := report.TypedNumber(strings.TrimSpace(in.Text), w.clock.Now()); len(numbers) > 0 {
		return w.find(ctx, in.Text)
	}
	municipalities, err := w.places.All(ctx)
	if err != nil {
		return nil, err
	}
	found, wrong, err := w.mapList(ctx, in)
	if err != nil {
		return nil, err
	}
	values, err := w.mapValues(ctx, v, in, found, wrong, municipalities)
	if err != nil {
		return nil, err
	}
	if !wrong {
		v.feedFilters = in.query().Encode()
	}
	boxes := make(map[string][4]float64)
	for _, m := range municipalities {
		boxes[m.Code] = [4]float64{m.MinLon, m.MinLat, m.MaxLon, m.MaxLat}
	}
	return v.render(v.withMap(content{title: v.t("page.map.title"), description: v.t("page.map.description"), current: "/map", head: v.stylesheet("map.css"),
		main: literal(mapHTML), values: values, modules: []string{"core.js", "map.js"}, topics: []string{"map"}, wide: true,
		data: map[string]any{"boxes": boxes, "next": found.NextCursor}}))
}

// mapList reads the reports that the filters let through; all of them if a filter cannot be read, and reports that.
func (w *Web) mapList(ctx context.Context, in *mapInput) (reportread.Page, bool, error) {
	size := page.Query{Page: 1, Size: 20}
	found, err := w.reader.List(ctx, reportread.Public(), reportread.Query{Query: size, Cursor: in.Cursor, Filters: reportread.Filters{
		Text: strings.TrimSpace(in.Text), Status: in.Status, IssueType: in.IssueType, Municipality: in.Municipality, DateFrom: in.DateFrom, DateTo: in.DateTo, Box: in.Box}})
	var refused *problem.Error
	if !errors.As(err, &refused) || refused.Kind != problem.Invalid {
		return found, false, err
	}
	found, err = w.reader.List(ctx, reportread.Public(), reportread.Query{Query: size})
	return found, true, err
}

// mapValues are the values of the page.
func (w *Web) mapValues(ctx context.Context, v view, in *mapInput, found reportread.Page, wrong bool, municipalities []geocoding.Municipality) (map[string]fragment, error) {
	places, err := w.mapPlaces(ctx, in.Text, municipalities)
	if err != nil {
		return nil, err
	}
	values := map[string]fragment{
		"q": text(in.Text), "from": text(in.DateFrom), "to": text(in.DateTo), "box": "", "total": text(v.count("page.map.found", found.Total)), "reports": v.rows(found.Items), "wrong": "", "more": "", "open": "", "places": v.placeLinks(places),
		"statuses":       choices(v, "status", shownStatuses(), in.Status),
		"types":          choices(v, "issue_type", report.IssueTypes(), in.IssueType),
		"municipalities": v.municipalityOptions(municipalities, in.Municipality),
		"legend":         v.legend(),
	}
	if in.Box != "" && !wrong {
		values["box"] = markup(`<input type="hidden" name="bbox" value="%s">`, text(in.Box))
	}
	if in.Status != "" || in.IssueType != "" || in.Municipality != "" || in.DateFrom != "" || in.DateTo != "" {
		values["open"] = " open"
	}
	if wrong {
		values["wrong"] = markup(`<p class="note" role="alert">%s</p>`, text(v.t("page.map.bad_filter")))
	}
	if found.NextCursor != nil && !wrong {
		values["more"] = markup(`<a class="button" id="more" href="%s">%s</a>`, address(in.address("cursor", *found.NextCursor)), text(v.t("page.common.more")))
	}
	return values, nil
}

// address is that of the page with its filters, and one more parameter.
func (in *mapInput) address(name, value string) string {
	query := in.query()
	query.Set(name, value)
	return "/map?" + query.Encode()
}

// query has the filters that are set, by the names that the API gives them.
func (in *mapInput) query() url.Values {
	query := url.Values{}
	for name, value := range map[string]string{"q": in.Text, "status": in.Status, "issue_type": in.IssueType, "municipality": in.Municipality, "date_from": in.DateFrom, "date_to": in.DateTo, "bbox": in.Box} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}

// shownStatuses are the statuses of reports on the map.
func shownStatuses() []report.Status {
	return slices.DeleteFunc(report.Statuses(), func(s report.Status) bool { return s == report.Rejected })
}

func (v view) municipalityOptions(all []geocoding.Municipality, chosen string) fragment {
	var out []fragment
	for _, m := range all {
		out = append(out, option(m.Code, locale.Name(v.lang, m.Name, m.NameTet, m.NamePt), m.Code == chosen || strings.EqualFold(m.Name, chosen)))
	}
	return joined(out)
}

// legend says what the colours of the map mean.
func (v view) legend() fragment {
	var out []fragment
	for _, s := range shownStatuses() {
		out = append(out, markup(`<li><span class="dot %s"></span>%s</li>`, text(string(s)), text(v.label("status", string(s)))))
	}
	return joined(out)
}

// foundPlace is a place with the box around it that the map shows.
type foundPlace struct {
	name, box string
}

// mapPlaces finds places with a name like the words that were looked for.
func (w *Web) mapPlaces(ctx context.Context, words string, municipalities []geocoding.Municipality) ([]foundPlace, error) {
	if strings.TrimSpace(words) == "" {
		return nil, nil
	}
	found, err := geocoding.SearchLocal(ctx, w.db, words, 5)
	if err != nil {
		return nil, fmt.Errorf("find places: %w", err)
	}
	var out []foundPlace
	for _, f := range found {
		around := map[string]float64{"district": 0.06, "suco": 0.02, "locality": 0.01}[f.Type] // degrees
		box := [4]float64{f.Longitude - around, f.Latitude - around, f.Longitude + around, f.Latitude + around}
		if i := slices.IndexFunc(municipalities, func(m geocoding.Municipality) bool { return f.Type == "municipality" && m.Name == f.DisplayName }); i >= 0 {
			m := municipalities[i]
			box = [4]float64{m.MinLon, m.MinLat, m.MaxLon, m.MaxLat}
		}
		var parts []string
		for _, degrees := range box {
			parts = append(parts, strconv.FormatFloat(degrees, 'f', 4, 64))
		}
		out = append(out, foundPlace{f.DisplayName, strings.Join(parts, ",")})
	}
	return out, nil
}

// placeLinks lead to the reports around places.
func (v view) placeLinks(places []foundPlace) fragment {
	if len(places) == 0 {
		return ""
	}
	var links []fragment
	for _, p := range places {
		links = append(links, markup(`<li><a href="%s">%s</a></li>`, address("/map?bbox="+url.QueryEscape(p.box)), text(p.name)))
	}
	return markup(`<nav class="places" aria-label="%s"><h2>%s</h2><ul class="plain">%s</ul></nav>`, text(v.t("page.map.places")), text(v.t("page.map.places")), joined(links))
}
