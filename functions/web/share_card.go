package web

import (
	"slices"
	"strconv"

	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/upload"
)

// maxCardText is how many characters of a text a share card has.
const maxCardText = 200

// shareLink is the address that people share. It names the language, so that the card has the words of whoever shares it.
func (r shownReport) shareLink() string {
	return r.web.Report(r.ReportNumber) + "?lang=" + string(r.lang)
}

// cardText is what a share card and a search engine say about the report.
func (r shownReport) cardText() string {
	words := r.label("status", string(r.Status))
	if kind := r.label("issue_type", string(r.IssueType)); kind != r.heading() {
		words += " · " + kind
	}
	if where := placeOf(r.Summary); where != "" {
		words += " · " + where
	}
	if r.Description != "" {
		words += " · " + r.Description
	}
	if runes := []rune(words); len(runes) > maxCardText {
		return string(runes[:maxCardText-1]) + "…"
	}
	return words
}

// card is what programs show that follow a shared link. Its picture is the first one of the problem, at an address that lasts.
func (r shownReport) card() fragment {
	meta := func(attribute literal, name, value string) fragment {
		return markup(`<meta `+attribute+`="%s" content="%s">`, text(name), text(value))
	}
	kind := "summary"
	out := meta("property", "og:type", "article") + meta("property", "og:site_name", "LafaekStreet") + meta("property", "og:title", r.heading()) +
		meta("property", "og:description", r.cardText()) + meta("property", "og:url", r.shareLink()) + markup(`<link rel="canonical" href="%s">`, address(r.web.Report(r.ReportNumber)))
	first := slices.IndexFunc(r.Images, func(i reportread.Image) bool { return i.Kind == "evidence" && drawable(i) })
	if first >= 0 {
		image := r.Images[first]
		kind = "summary_large_image"
		out += markup(`<meta property="og:image" content="%s">`, address(r.web.Picture(r.ReportNumber, image.ID, string(upload.Display)))) +
			meta("property", "og:image:width", strconv.Itoa(*image.Width)) + meta("property", "og:image:height", strconv.Itoa(*image.Height)) +
			meta("property", "og:image:alt", r.heading())
	}
	return out + meta("name", "twitter:card", kind)
}
