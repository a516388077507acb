package public

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
)

const mediaHTML = "text/html; charset=utf-8"

// policy lets the pages load from here and nowhere else: pictures may come from
// storage, proofs from the mirror node, and MapLibre starts its worker from a blob.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src * data: blob:; " +
	"connect-src 'self'%s; worker-src blob:; child-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

var pages = template.Must(template.New("").ParseFS(web, "web/*.html"))

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
	Lang string `query:"lang" enum:"tet,pt,en" doc:"Language of the page; else the browser's"`
}

type pageOutput struct {
	Status      int
	ContentType string `header:"Content-Type"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

// view is what every page shows.
type view struct {
	Lang   locale.Language
	Mirror string
	// Texts are the words the page's script needs, as JSON.
	Texts  template.JS
	assets assets
}

// T is the text of a key in the page's language.
func (v view) T(key string) string {
	text, _ := locale.Text(v.Lang, key, nil)
	return text
}

// Asset is the address of a file.
func (v view) Asset(name string) string { return v.assets[name].address }

// Choice is a value with its label.
type Choice struct {
	Value, Label string
	Current      bool
}

// Languages are the languages to switch to, each by its own name.
func (v view) Languages() []Choice {
	return []Choice{
		{string(locale.Tetum), "Tetun", v.Lang == locale.Tetum},
		{string(locale.Portuguese), "Português", v.Lang == locale.Portuguese},
		{string(locale.English), "English", v.Lang == locale.English},
	}
}

// Statuses are the statuses the public sees.
func (v view) Statuses() []Choice {
	var out []Choice
	for _, s := range report.Statuses() {
		if s != report.Rejected {
			out = append(out, Choice{Value: string(s), Label: v.T("label.status." + string(s))})
		}
	}
	return out
}

// Types are the kinds of problem.
func (v view) Types() []Choice {
	var out []Choice
	for _, t := range report.IssueTypes() {
		out = append(out, Choice{Value: string(t), Label: v.T("label.issue_type." + string(t))})
	}
	return out
}

func (p *Public) view(ctx context.Context, in PageInput) view {
	l, ok := locale.Parse(in.Lang)
	if !ok {
		l = locale.FromContext(ctx)
	}
	return view{Lang: l, Mirror: p.ledger.MirrorURL, assets: p.assets}
}

func (p *Public) render(status int, name string, data any) (*pageOutput, error) {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, data); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	mirror := ""
	if p.ledger.MirrorURL != "" {
		mirror = " " + p.ledger.MirrorURL
	}
	return &pageOutput{status, mediaHTML, fmt.Sprintf(policy, mirror), out.Bytes()}, nil
}

// scriptTexts are words for a script; JSON of strings is safe inside a script element of type JSON.
func scriptTexts(words any) (template.JS, error) {
	raw, err := json.Marshal(words) // escapes <, > and & as the element needs
	return template.JS(raw), err    //nolint:gosec // JSON made here, HTML-escaped by encoding/json
}

func (p *Public) mapPage(ctx context.Context, in *PageInput) (*pageOutput, error) {
	v := p.view(ctx, *in)
	labels := func(choices []Choice) map[string]string {
		out := make(map[string]string, len(choices))
		for _, c := range choices {
			out[c.Value] = c.Label
		}
		return out
	}
	var err error
	v.Texts, err = scriptTexts(map[string]any{
		"types": labels(v.Types()), "statuses": labels(v.Statuses()), "open": v.T("page.open_report"), "close": v.T("page.close"),
	})
	if err != nil {
		return nil, err
	}
	return p.render(200, "map.html", v)
}
