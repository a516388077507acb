package web

import (
	"bytes"
	"context"
	_ "embed" // the layout
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/weblink"
)

// layout is the frame of every page: head, header with the languages, footer, scripts.
//
//go:embed pages/layout.html
var layout string

// languageCookie remembers the language that a person chose. Scripts may read it.
const languageCookie = "lang"

// PageInput has the parameters of every page. Embed it in the input of a page. It is exported because huma reads only exported
// embedded structs.
type PageInput struct {
	Lang   string `query:"lang" maxLength:"40" doc:"tet, pt or en; it is remembered in a cookie. Else the language of the cookie, else that of the browser" example:"tet"`
	Cookie string `cookie:"lang" hidden:"true"`
}

type pageOutput struct {
	Status      int
	ContentType string `header:"Content-Type"`
	Policy      string `header:"Content-Security-Policy"`
	SetCookie   string `header:"Set-Cookie"`
	Location    string `header:"Location"`
	Body        []byte
}

// content is what a page puts into the layout.
type content struct {
	status      int      // 0 is 200
	title       string   // of the window, without the name of the site
	description string   // for search engines and share cards; may be empty
	head        fragment // further elements of the head, such as a share card
	current     string   // path of the entry in the header that is this page; may be empty
	main        literal  // the main element; see fill
	// values are those of the places in main. Texts of the catalogue and addresses of files need none.
	values map[string]fragment
	// modules are scripts that the page starts with, by the names of their files. A script that is imported on demand is not
	// among them. Each is fetched at once, so a script that another one imports should be named too.
	modules []string
	// topics are the topics of texts that the scripts need; "common" is always there. See t in core.js.
	topics []string
	// data is for the scripts, as JSON; see data in core.js.
	data map[string]any
	// connect and images are further sources of the policy, such as the base map.
	connect, images []string
	// trustedTypes are the names of policies that the page's scripts may create; none if empty.
	trustedTypes string
	// starts shows a sentence until the script of the page runs: without it the page is empty. The script calls started of core.js.
	starts bool
	// wide lets the page use the whole width of a large screen.
	wide bool
	// silent says that the scripts use no texts and no data: the page is smaller without. core.js needs them.
	silent bool
}

// view has what every page needs to be rendered: the language of the reader, and where things are.
type view struct {
	lang    locale.Language
	chosen  bool // by ?lang=
	secure  bool // served over TLS
	web     weblink.Base
	mirror  string
	storage string
	assets  *assets
	baseMap baseMapConfig
	// filters are what the address of this page asks for, encoded: a link to another language keeps them, also without a script.
	filters string
	// feedFilters are what the feed of this page has, encoded as filters; the feed has all reports if it is empty.
	feedFilters string
}

// view returns the view of a request, and ctx for what is read in its language.
func (w *Web) view(ctx context.Context, in PageInput) (context.Context, view) {
	v := view{lang: locale.FromContext(ctx), web: w.links.Or(httpapi.Origin(ctx)), mirror: w.mirror, storage: w.storage, assets: w.assets(), baseMap: w.baseMap,
		secure: strings.HasPrefix(httpapi.Origin(ctx), "https:")}
	if l, ok := locale.Parse(in.Cookie); ok {
		v.lang = l
	}
	if l, ok := locale.Parse(strings.ToLower(in.Lang)); ok {
		v.lang, v.chosen = l, true
	}
	return locale.WithLanguage(ctx, v.lang), v
}

// render puts a page into the layout.
func (v view) render(c content) (*pageOutput, error) {
	main, err := v.fill(c.main, c.values)
	if err != nil {
		return nil, err
	}
	if c.starts {
		main = bytes.Replace(main, []byte(`<main id="main">`), []byte(`<main id="main">`+markup(`<p id="starting" class="note">%s</p>`, text(v.t("page.common.starting")))), 1)
	}
	forScripts, err := v.forScripts(c)
	if err != nil {
		return nil, err
	}
	title := "LafaekStreet"
	if c.title != "" {
		title = c.title + " · " + title
	}
	head := c.head
	if c.description != "" {
		head = markup(`<meta name="description" content="%s">`, text(c.description)) + head
	}
	class := fragment("")
	if c.wide {
		class = ` class="wide"`
	}
	body, err := v.fill(literal(layout), map[string]fragment{
		"title": text(title), "head": head, "class": class, "languages": v.languages(), "navigation": v.navigation(c.current), "main": fragment(main),
		"modules": v.modules(c.modules), "for_scripts": forScripts, "feed": v.feed(),
	})
	if err != nil {
		return nil, err
	}
	out := &pageOutput{Status: c.status, ContentType: "text/html; charset=utf-8", Policy: v.policy(c), Body: body}
	if out.Status == 0 {
		out.Status = http.StatusOK
	}
	if v.chosen {
		out.SetCookie = v.cookie()
	}
	return out, nil
}

// cookie is the one that remembers the language for a year.
func (v view) cookie() string {
	c := http.Cookie{Name: languageCookie, Value: string(v.lang), Path: "/", MaxAge: 365 * 24 * 60 * 60, SameSite: http.SameSiteLaxMode, Secure: v.secure}
	return c.String()
}

// policy is the Content-Security-Policy of a page. Everything is loaded from this site, pictures also from storage, and what
// an operator has configured.
func (v view) policy(c content) string {
	from := func(directive string, sources ...string) string {
		sources = slices.DeleteFunc(sources, func(s string) bool { return s == "" })
		return directive + " " + strings.Join(slices.Compact(sources), " ")
	}
	trusted := "'none'"
	if c.trustedTypes != "" {
		trusted = c.trustedTypes
	}
	return strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", from("img-src", append([]string{"'self'", "data:", "blob:", v.storage}, c.images...)...),
		from("connect-src", append([]string{"'self'", v.storage}, c.connect...)...), "worker-src 'self'", "manifest-src 'self'",
		"base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types " + trusted,
	}, "; ")
}

// origin is the scheme and host of an address, for a policy; empty for none.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// fill fills the places of a page: with the values, the addresses of files, and texts of the catalogue.
func (v view) fill(page literal, values map[string]fragment) ([]byte, error) {
	return fill(page, func(place string) (fragment, bool) {
		if value, ok := values[place]; ok {
			return value, true
		}
		if file, ok := v.assets.byName[place]; ok {
			return address(file.address), true
		}
		if place == "lang" {
			return text(string(v.lang)), true
		}
		words, ok := locale.Text(v.lang, place, nil)
		return text(words), ok
	})
}

// languages returns the links to the same page in each language.
func (v view) languages() fragment {
	var links []fragment
	before := fragment("")
	if v.filters != "" {
		before = text(v.filters + "&")
	}
	for _, l := range []struct {
		language locale.Language
		name     string
	}{{locale.Tetum, "Tetun"}, {locale.Portuguese, "Português"}, {locale.English, "English"}} {
		current := fragment("")
		if l.language == v.lang {
			current = ` aria-current="true"`
		}
		code := text(string(l.language))
		links = append(links, markup(`<a href="?%slang=%s" lang="%s" hreflang="%s"%s>%s</a>`, before, code, code, code, current, text(l.name)))
	}
	return joined(links)
}

// feed is the address of the Atom feed in the language of the page.
func (v view) feed() fragment {
	query := "lang=" + string(v.lang)
	if v.feedFilters != "" {
		query = v.feedFilters + "&" + query
	}
	return address("/api/v1/public/feed.atom?" + query)
}

// navigation returns the links of the header.
func (v view) navigation(current string) fragment {
	var links []fragment
	for _, entry := range []struct{ path, key string }{
		{"/report", "page.common.nav_report"}, {"/map", "page.common.nav_map"}, {"/stats", "page.common.nav_stats"}, {"/me", "page.common.nav_me"},
	} {
		mark := fragment("")
		if entry.path == current {
			mark = ` aria-current="page"`
		}
		links = append(links, markup(`<a href="%s"%s>%s</a>`, address(entry.path), mark, text(v.t(entry.key))))
	}
	return joined(links)
}

// stylesheet links to a style of a page of its own; for the head.
func (v view) stylesheet(name string) fragment {
	return markup(`<link rel="stylesheet" href="%s">`, address(v.assets.byName[name].address))
}

// modules returns the script elements of a page.
func (v view) modules(names []string) fragment {
	var out []fragment
	for _, name := range names {
		out = append(out, markup(`<script type="module" src="%s"></script>`, address(v.assets.byName[name].address)))
	}
	return joined(out)
}

// forScripts returns what the scripts of a page read: texts, data and addresses of files. Pages without scripts have none.
func (v view) forScripts(c content) (fragment, error) {
	if len(c.modules) == 0 || c.silent {
		return "", nil
	}
	texts := map[string]map[string]string{"label": v.scriptLabels()}
	for _, topic := range append([]string{"common"}, c.topics...) {
		texts[topic] = locale.PageTexts(v.lang, topic)
	}
	for i, name := range locale.Months(v.lang) {
		texts["common"]["month_"+strconv.Itoa(i+1)] = name
	}
	files := make(map[string]string)
	for name, file := range v.assets.byName {
		if file.packed { // a module finds its neighbours by itself
			files[name] = file.address
		}
	}
	data := maps.Clone(c.data)
	if data == nil {
		data = make(map[string]any)
	}
	raw, err := scriptJSON(map[string]any{"texts": texts, "data": data, "files": files})
	if err != nil {
		return "", err
	}
	return markup(`<script id="for-scripts" type="application/json">%s</script>`, raw), nil
}

// scriptJSON returns a value for a script element of type application/json. encoding/json escapes <, > and &, so no text can
// end the element.
func scriptJSON(value any) (fragment, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode data of the page: %w", err)
	}
	return fragment(raw), nil
}
