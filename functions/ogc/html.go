package ogc

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/markup"
)

// content is what a page shows: its text, the links of the document, and the rest.
type content struct {
	title, what string
	links       []Link
	main        markup.Fragment
}

// style has the colours of the other pages. It is in the page, so a page is one request.
const style = `:root{--ink:#16212b;--soft:#536370;--paper:#fff;--wash:#f3f6f8;--line:#cfd9e0;--main:#0b5a99}
@media(prefers-color-scheme:dark){:root{--ink:#e8eef2;--soft:#a5b5c0;--paper:#18222b;--wash:#10181f;--line:#33424e;--main:#6db7f2}}
*{box-sizing:border-box}body{margin:0;color:var(--ink);background:var(--wash);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
nav,main{max-width:48rem;margin:0 auto;padding:.75rem 1rem}nav a,li a{display:inline-block;padding:.35rem .75rem .35rem 0}a{color:var(--main)}
h1{font-size:1.45rem;line-height:1.25;margin:.5rem 0}h2{font-size:1.1rem;margin:1.25rem 0 .25rem}h2 a{display:inline-block;padding:.35rem 0}
article{margin:0 0 1rem;padding:.25rem 1rem .75rem;background:var(--paper);border:1px solid var(--line);border-radius:.6rem}
dl{display:grid;grid-template-columns:minmax(7rem,max-content) 1fr;gap:.1rem .75rem;margin:0}dt,.soft{color:var(--soft)}summary{min-height:44px;line-height:44px}dd{margin:0}ul{padding-left:1.1rem}
@media(max-width:30rem){dl{grid-template-columns:1fr}dd{margin:0 0 .4rem}}
pre{white-space:pre-wrap;font-size:.8rem}:focus-visible{outline:3px solid var(--main);outline-offset:2px}`

// pagePolicy is the Content-Security-Policy of the pages: their style and nothing else.
func pagePolicy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// render makes a page (HTML 5). All links of the document are in it.
func (v view) render(c content) []byte {
	what := markup.Fragment("")
	if c.what != "" {
		what = markup.Format(`<p>%s</p>`, markup.Text(c.what))
	}
	var links []markup.Fragment
	for _, l := range c.links {
		links = append(links, markup.Format(`<li><a href="%s" rel="%s" type="%s">%s</a> <span class="soft">%s</span></li>`,
			markup.Address(l.Href), markup.Text(l.Rel), markup.Text(l.Type), markup.Text(l.Title), markup.Text(l.Rel+", "+l.Type)))
	}
	page := markup.Format(`<!doctype html>
<html lang="%s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>%s · LafaekStreet</title><style>`+style+`</style></head><body>
<nav aria-label="%s"><a href="/">LafaekStreet</a><a href="%s">%s</a><a href="%s">%s</a><a href="%s">%s</a></nav>
<main><h1>%s</h1>%s%s
<h2>%s</h2><ul>%s</ul></main></body></html>`,
		markup.Text(string(v.lang)), markup.Text(c.title), markup.Text(v.t("pages")), markup.Address(v.base), markup.Text(v.t("title")), markup.Address(v.base+"/collections"),
		markup.Text(v.t("collections")), markup.Address(v.base+"/api?f=html"), markup.Text(v.t("api_page")), markup.Text(c.title), what, c.main, markup.Text(v.t("links")), markup.Joined(links))
	return []byte(page)
}

// terms is a list of names with their values.
func terms(pairs ...markup.Fragment) markup.Fragment {
	var out []markup.Fragment
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, markup.Format(`<dt>%s</dt><dd>%s</dd>`, pairs[i], pairs[i+1]))
	}
	return markup.Format(`<dl>%s</dl>`, markup.Joined(out))
}

// list is a list of words.
func list(words []string) markup.Fragment {
	var out []markup.Fragment
	for _, word := range words {
		out = append(out, markup.Format(`<li>%s</li>`, markup.Text(word)))
	}
	return markup.Format(`<ul>%s</ul>`, markup.Joined(out))
}

func (v view) pageOfCollections(all Collections) content {
	c := content{title: v.t("collections"), links: all.Links}
	for _, one := range all.Collections {
		c.links = append(c.links, one.Links...)
		c.main += markup.Format(`<article><h2><a href="%s">%s</a></h2><p>%s</p>%s</article>`,
			markup.Address(v.base+"/collections/"+one.ID), markup.Text(one.Title), markup.Text(one.Description), v.factsOf(one))
	}
	return c
}

// factsOf shows the members of a collection that are neither text nor links.
func (v view) factsOf(c Collection) markup.Fragment {
	facts := []markup.Fragment{"id", markup.Text(c.ID), "itemType", markup.Text(c.ItemType), "crs", markup.Text(strings.Join(c.CRS, " "))}
	if c.Extent.Spatial != nil {
		facts = append(facts, "bbox", asJSON(c.Extent.Spatial.BBox)+" "+markup.Text(c.Extent.Spatial.CRS))
	}
	if c.Extent.Temporal != nil {
		facts = append(facts, "interval", asJSON(c.Extent.Temporal.Interval)+" "+markup.Text(c.Extent.Temporal.TRS))
	}
	return terms(facts...)
}

// asJSON shows a value as JSON.
func asJSON(value any) markup.Fragment {
	raw, _ := json.Marshal(value) // numbers and times always encode
	return markup.Text(string(raw))
}

func (v view) pageOfCollection(c collection, described Collection) content {
	fields := []markup.Fragment{}
	for _, f := range c.fields {
		fields = append(fields, markup.Text(f.name), markup.Text(strings.TrimSpace(f.kind+" "+f.format)+". "+f.description))
	}
	return content{title: described.Title, what: described.Description, links: described.Links,
		main: v.factsOf(described) + markup.Format(`<h2>%s</h2><div lang="en">%s</div>`, markup.Text(v.t("properties")), terms(fields...))}
}

func (v view) pageOfItems(c collection, page FeatureCollection, features []Feature) content {
	facts := []markup.Fragment{"timeStamp", markup.Text(page.TimeStamp), "numberReturned", markup.Text(strconv.Itoa(page.NumberReturned))}
	if page.NumberMatched != nil {
		facts = append(facts, "numberMatched", markup.Text(strconv.Itoa(*page.NumberMatched)))
	}
	out := content{title: v.t(c.id), links: page.Links, main: terms(facts...)}
	for _, l := range page.Links { // also above the features: a reader with a keyboard reaches it soon
		if l.Rel == "next" {
			out.main += markup.Format(`<p><a href="%s">%s</a></p>`, markup.Address(l.Href), markup.Text(l.Title))
		}
	}
	if len(features) == 0 {
		out.main += markup.Format(`<p>%s</p>`, markup.Text(v.t("none")))
	}
	for _, f := range features {
		out.main += markup.Format(`<article><h2><a href="%s">%s</a></h2>%s</article>`,
			markup.Address(v.base+c.path()+"/items/"+f.ID), markup.Text(f.heading()), c.facts(f, false))
	}
	return out
}

func (v view) pageOfItem(c collection, f Feature) content {
	return content{title: f.heading(), links: f.Links, main: c.facts(f, true)}
}

// heading is what a page calls a feature: its title or name.
func (f Feature) heading() string {
	for _, p := range f.Properties {
		if p.name == "title" || p.name == "name" {
			return p.text()
		}
	}
	return f.ID
}

// text is the value of a property for people.
func (p property) text() string {
	var s string
	if json.Unmarshal(p.value, &s) == nil {
		return s
	}
	return string(p.value)
}

// facts shows the id, the properties and the geometry of a feature; the coordinates of an area only where they are asked for, and
// only up to a length that a browser on a phone bears. Its GeoJSON has all.
func (c collection) facts(f Feature, whole bool) markup.Fragment {
	const most = 200_000
	var geometry struct {
		Type        string
		Coordinates json.RawMessage
	}
	_ = json.Unmarshal(f.Geometry, &geometry) // it is GeoJSON
	facts := []markup.Fragment{"id", markup.Text(f.ID)}
	for i, p := range f.Properties {
		value := markup.Text(p.text())
		if c.fields[i].format == "uri" {
			value = markup.Format(`<a href="%s">%s</a>`, markup.Address(p.text()), value)
		}
		facts = append(facts, markup.Text(p.name), value)
	}
	shape := markup.Text(geometry.Type)
	switch coordinates := markup.Text(string(geometry.Coordinates)); {
	case geometry.Type == "Point":
		shape += " " + coordinates
	case whole && len(coordinates) < most:
		shape = markup.Format(`<details><summary>%s</summary><pre>%s</pre></details>`, shape, coordinates)
	}
	return terms(append(facts, "geometry", shape)...)
}

// pageOfAPI lists the operations with their parameters and the statuses of their answers.
func (v view) pageOfAPI(all []operation) content {
	out := content{title: v.t("api_page"), links: v.self(mediaOpenAPI, "/api", nil)}
	for _, o := range all {
		parameters := []markup.Fragment{}
		for _, p := range o.parameters {
			parameters = append(parameters, markup.Text(p.name), markup.Text(p.description+" ")+asJSON(p.schema))
		}
		statuses := []string{"200", "304"}
		for _, status := range o.problems() {
			statuses = append(statuses, strconv.Itoa(status))
		}
		parameters = append(parameters, markup.Text(v.t("answers")), markup.Text(strings.Join(statuses, ", ")+" · "+o.mediaType+", "+mediaHTML))
		out.main += markup.Format(`<article lang="en"><h2>GET %s</h2><p>%s</p>%s</article>`, markup.Text(strings.TrimSuffix(v.base+o.path, "/")), markup.Text(o.summary), terms(parameters...))
	}
	return out
}
