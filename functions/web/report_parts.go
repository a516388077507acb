package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/comment"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/upload"
	"github.com/lafaekstreet/backend/shared/weblink"
)

// pictures are those of the report, each with its name: what was reported, the repair, and those that say that it is not done.
// A small screen loads the small rendition; the link leads to the large one, at an address that lasts.
func (r shownReport) pictures() fragment {
	var out []fragment
	alone := len(slices.DeleteFunc(slices.Clone(r.Images), func(i reportread.Image) bool { return !drawable(i) })) == 1 // it needs no name
	for _, kind := range []string{"evidence", "resolution", "dispute"} {
		for _, i := range r.Images {
			if i.Kind != kind || !drawable(i) {
				continue
			}
			name := r.t("page.report.photo_" + kind)
			small := *i.ImageURL
			if i.ThumbnailURL != nil {
				small = *i.ThumbnailURL
			}
			alt, caption := name+": "+r.heading(), markup(`<figcaption class="soft">%s</figcaption>`, text(name))
			if alone && kind == "evidence" {
				alt, caption = r.heading(), ""
			}
			out = append(out, markup(`<figure data-kind="%s"><a href="%s"><picture><source media="(min-width: 40rem)" srcset="%s"><img class="photo" src="%s" alt="%s" width="%s" height="%s"%s></picture></a>%s</figure>`,
				text(kind), address(weblink.Base{}.Picture(r.ReportNumber, i.ID, string(upload.Display))), address(*i.ImageURL), address(small), text(alt),
				text(strconv.Itoa(*i.Width)), text(strconv.Itoa(*i.Height)), lazy(len(out)), caption))
		}
	}
	switch {
	case len(out) > 0:
		return markup(`<div class="pictures">%s</div>`, joined(out))
	case r.ContentPending:
		return ""
	}
	return markup(`<p class="soft">%s</p>`, text(r.t("page.report.no_photo")))
}

// drawable reports whether a picture can be shown.
func drawable(i reportread.Image) bool { return i.ImageURL != nil && i.Width != nil && i.Height != nil }

// lazy has a browser load a picture when it comes into view; the first one at once.
func lazy(n int) fragment {
	if n == 0 {
		return ""
	}
	return ` loading="lazy"`
}

// where is a sketch of the place, its coordinates, and links to maps.
func (r shownReport) where() fragment {
	degrees := func(d float64) string { return strconv.FormatFloat(d, 'f', 5, 64) }
	latitude, longitude := degrees(r.Latitude), degrees(r.Longitude)
	sketch := "/api/v1/public/sketch.svg?" + url.Values{"latitude": {latitude}, "longitude": {longitude}, "zoom": {"15"}, "width": {"400"}, "height": {"260"}, "pin": {"true"}, "lang": {string(r.lang)}}.Encode()
	approximate := fragment("")
	if r.ContentPending {
		approximate = markup(`<p class="soft">%s</p>`, text(r.t("page.report.approximate")))
	}
	name := strings.TrimSuffix(r.t("page.report.sketch")+": "+placeOf(r.Summary), ": ")
	return markup(`<div class="beside"><img class="sketch" src="%s" alt="%s" width="400" height="260" loading="lazy"><div>%s<p class="soft">%s, %s</p><p class="actions"><a class="button" href="%s">%s</a><a class="button" href="%s">%s</a></p></div></div>`,
		address(sketch), text(name), approximate, text(latitude), text(longitude), address(weblink.Base{}.Map(r.Latitude, r.Longitude)), text(r.t("page.report.on_map")),
		text("geo:"+latitude+","+longitude+"?q="+latitude+","+longitude), text(r.t("page.report.open_in_maps")))
}

// commentList are the first comments, or why there are none. A script puts further ones behind them.
func (r shownReport) commentList() fragment {
	var out []fragment
	for _, c := range r.comments {
		out = append(out, r.comment(c))
	}
	none := fragment("")
	switch {
	case r.ContentPending:
		none = markup(`<p class="soft">%s</p>`, text(r.t("page.report.comments_pending")))
	case len(out) == 0:
		none = markup(`<p class="soft" id="no-comments">%s</p>`, text(r.t("page.report.no_comments")))
	}
	return markup(`%s<ul class="plain comments" id="comments">%s</ul>`, none, joined(out))
}

// comment is one comment, as comment in report.js makes it.
func (r shownReport) comment(c comment.Comment) fragment {
	name, official := r.t("page.act.somebody"), fragment("")
	if c.Author != nil && c.Author.FullName != "" {
		name = c.Author.FullName
	}
	if c.Author != nil && c.Author.IsOfficial {
		official = markup(` <span class="status verified">%s</span>`, text(r.t("page.by_"+string(c.Author.Role))))
	}
	return markup(`<li data-comment="%s"><p class="by"><strong dir="auto">%s</strong>%s <span class="soft">%s</span></p><p class="words" dir="auto">%s</p></li>`,
		text(c.ID.String()), text(name), official, r.moment(c.CreatedAt), text(c.Content))
}
