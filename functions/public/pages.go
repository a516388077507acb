package public

import (
	"context"
	_ "embed" // the pages
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/weblink"
)

const mediaHTML = "text/html; charset=utf-8"

// policy is the Content-Security-Policy of the pages. They load files only from this site. Exceptions: pictures come from
// storage, messages of the ledger from the mirror node (%s has both), and MapLibre starts its worker from a blob.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src * data: blob:; " +
	"connect-src 'self'%s; worker-src blob:; child-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed web/map.html
var mapHTML string

func (p *Public) registerPages(a *httpapi.API) {
	page := func(path, summary, description string) httpapi.Operation {
		o := read(path, summary, description)
		content(&o, "A web page", "text/html")
		return o
	}
	httpapi.Register(a, page("/map", "The public map", "Clusters, filters, a card for each report. Languages: tet, pt, en."), p.mapPage)
	reportPage := page("/r/{number}", "The page of a report",
		"Photo, status, history and ledger proof, with a button that checks the proof in the reader's browser. 410 for what was taken down: a page that says when, by whom and why, with the proof.")
	reportPage.Errors = []int{http.StatusGone}
	reportPage.PageStatuses = []int{http.StatusNotFound, http.StatusGone}
	httpapi.Register(a, reportPage, p.reportPage)

	p.registerVerifyPage(a, page)

	file := read("/map/assets/{hash}/{name}", "A file of the pages", "The address contains a hash of the content; caches may keep the file forever.")
	file.Cache = httpapi.Immutable
	content(&file, "The file", "text/javascript", "text/css")
	httpapi.Register(a, file, p.asset)
}

// PageInput has the parameters of every page. It is exported because huma reads only exported embedded structs.
type PageInput struct {
	Lang string `query:"lang" maxLength:"40" doc:"tet, pt or en; else the language of the browser" example:"tet"`
}

type pageOutput struct {
	Status      int
	ContentType string `header:"Content-Type"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

// view has what every page needs to be rendered.
type view struct {
	lang   locale.Language
	mirror string
	web    weblink.Base
	// connect are the other origins that the page's script reads from.
	connect []string
	assets  assets
}

func (p *Public) view(ctx context.Context, in PageInput) view {
	l, ok := locale.Parse(strings.ToLower(in.Lang))
	if !ok {
		l = locale.FromContext(ctx)
	}
	v := view{lang: l, mirror: p.ledger.MirrorURL, web: p.weblinks.Or(httpapi.Origin(ctx)), assets: p.assets}
	if v.mirror != "" {
		v.connect = append(v.connect, v.mirror)
	}
	return v
}

// t returns the text of a key in the language of the page.
func (v view) t(key string) string {
	text, _ := locale.Text(v.lang, key, nil)
	return text
}

// languages returns the links to the same page in each language.
func (v view) languages() fragment {
	var links []fragment
	for _, l := range []struct {
		language locale.Language
		name     string
	}{{locale.Tetum, "Tetun"}, {locale.Portuguese, "Português"}, {locale.English, "English"}} {
		current := fragment("")
		if l.language == v.lang {
			current = ` aria-current="true"`
		}
		code := text(string(l.language))
		links = append(links, markup(`<a href="?lang=%s" lang="%s"%s>%s</a>`, code, code, current, text(l.name)))
	}
	return markup(`<nav class="languages" aria-label="%s">%s</nav>`, text(v.t("page.language")), joined(links))
}

// render fills the places of a page: with the values in own, the addresses of files, and texts of the catalogue.
func (v view) render(status int, page literal, own map[string]fragment) (*pageOutput, error) {
	body, err := fill(page, func(place string) (fragment, bool) {
		if value, ok := own[place]; ok {
			return value, true
		}
		if file, ok := v.assets[place]; ok {
			return address(file.address), true
		}
		switch place {
		case "lang":
			return text(string(v.lang)), true
		case "languages":
			return v.languages(), true
		}
		words, ok := locale.Text(v.lang, place, nil)
		return text(words), ok
	})
	if err != nil {
		return nil, fmt.Errorf("render page: %w", err)
	}
	others := ""
	for _, origin := range v.connect {
		others += " " + origin
	}
	return &pageOutput{status, mediaHTML, fmt.Sprintf(policy, others), body}, nil
}

// scriptTexts returns texts for a script, as JSON for a script element of type application/json. encoding/json escapes <, >
// and &, so no text can end the element.
func scriptTexts(words any) (fragment, error) {
	raw, err := json.Marshal(words)
	return fragment(raw), err
}

// labels returns the text of each value of a kind, such as "status".
func labels[T ~string](v view, kind string, values []T) map[string]string {
	out := make(map[string]string, len(values))
	for _, value := range values {
		out[string(value)] = v.t("label." + kind + "." + string(value))
	}
	return out
}

// options returns an option element for each value, in this order.
func options[T ~string](labels map[string]string, values []T) fragment {
	var out []fragment
	for _, value := range values {
		out = append(out, markup(`<option value="%s">%s</option>`, text(string(value)), text(labels[string(value)])))
	}
	return joined(out)
}

func (p *Public) mapPage(ctx context.Context, in *PageInput) (*pageOutput, error) {
	v := p.view(ctx, *in)
	statuses := visibleStatuses()
	statusLabels, typeLabels := labels(v, "status", statuses), labels(v, "issue_type", report.IssueTypes())
	texts, err := scriptTexts(map[string]any{
		"types": typeLabels, "statuses": statusLabels, "open": v.t("page.open_report"), "close": v.t("page.close"),
		"closer": v.t("page.look_closer"), "more": v.t("page.more_closer"), "none": v.t("page.none_here"),
	})
	if err != nil {
		return nil, fmt.Errorf("texts of the map: %w", err)
	}
	return v.render(200, literal(mapHTML), map[string]fragment{
		"texts": texts, "statuses": options(statusLabels, statuses), "types": options(typeLabels, report.IssueTypes()),
	})
}

// visibleStatuses returns the statuses of reports that everybody may see.
func visibleStatuses() []report.Status {
	var out []report.Status
	for _, s := range report.Statuses() {
		if s != report.Rejected {
			out = append(out, s)
		}
	}
	return out
}
