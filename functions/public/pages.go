package public

import (
	"context"
	_ "embed" // the pages
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
)

const mediaHTML = "text/html; charset=utf-8"

// policy lets the pages load from here and nowhere else: pictures may come from
// storage, proofs from the mirror node, and MapLibre starts its worker from a blob.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src * data: blob:; " +
	"connect-src 'self'%s; worker-src blob:; child-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed web/map.html
var mapHTML string

func (p *Public) registerPages(a *httpapi.API) {
	page := func(path, summary, description string) httpapi.Operation {
		o := read(path, summary, description)
		content(&o, "A page for people", "text/html")
		return o
	}
	httpapi.Register(a, page("/map", "The public map", "Clusters, filters, a card for each report. Languages: tet, pt, en."), p.mapPage)
	httpapi.Register(a, page("/r/{number}", "The page of a report",
		"Photo, status, history and ledger proof, with a button that checks the proof in the reader's browser."), p.reportPage)

	file := read("/map/assets/{hash}/{name}", "A file of the pages", "Addressed by its content; kept for good.")
	file.Cache = httpapi.Immutable
	content(&file, "The file", "text/javascript", "text/css")
	httpapi.Register(a, file, p.asset)
}

// PageInput is what every page takes. Exported because huma only looks into exported embedded structs.
type PageInput struct {
	Lang string `query:"lang" maxLength:"40" doc:"tet, pt or en; for any other, and without one, the browser's language" example:"tet"`
}

type pageOutput struct {
	Status      int
	ContentType string `header:"Content-Type"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

// view is what every page shows.
type view struct {
	lang   locale.Language
	mirror string
	assets assets
}

func (p *Public) view(ctx context.Context, in PageInput) view {
	l, ok := locale.Parse(strings.ToLower(in.Lang))
	if !ok {
		l = locale.FromContext(ctx)
	}
	return view{lang: l, mirror: p.ledger.MirrorURL, assets: p.assets}
}

// t is the text of a key in the page's language.
func (v view) t(key string) string {
	text, _ := locale.Text(v.lang, key, nil)
	return text
}

// languages lead to the same page in another language, each by its own name.
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

// render fills a page with what every page shows and what is its own.
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
	mirror := ""
	if v.mirror != "" {
		mirror = " " + v.mirror
	}
	return &pageOutput{status, mediaHTML, fmt.Sprintf(policy, mirror), body}, nil
}

// scriptTexts are words for a script, as JSON in a script element of that type:
// encoding/json escapes <, > and &, so that nothing in them ends the element.
func scriptTexts(words any) (fragment, error) {
	raw, err := json.Marshal(words)
	return fragment(raw), err
}

// labels are the words for values of a kind, by value.
func labels[T ~string](v view, kind string, values []T) map[string]string {
	out := make(map[string]string, len(values))
	for _, value := range values {
		out[string(value)] = v.t("label." + kind + "." + string(value))
	}
	return out
}

// options are the same to choose from, in their order.
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

// visibleStatuses are the statuses the public sees.
func visibleStatuses() []report.Status {
	var out []report.Status
	for _, s := range report.Statuses() {
		if s != report.Rejected {
			out = append(out, s)
		}
	}
	return out
}
