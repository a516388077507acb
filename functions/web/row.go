package web

import (
	"strings"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// rows are reports as rows of a list, as row in core.js makes them.
func (v view) rows(reports []reportread.Summary) fragment {
	var out []fragment
	for _, r := range reports {
		out = append(out, markup(`<li>%s</li>`, v.row(r)))
	}
	return joined(out)
}

// row is a report in a list: a link to its page with picture, title, status, place and date.
func (v view) row(r reportread.Summary) fragment {
	picture := fragment(`<span class="no-picture"></span>`)
	if r.ThumbnailURL != nil {
		picture = markup(`<img src="%s" alt="" loading="lazy" width="56" height="56">`, address(*r.ThumbnailURL))
	}
	title := r.Title
	if title == "" {
		title = v.label("issue_type", string(r.IssueType))
	}
	// A place that is written from right to left does not turn number and date around: bdi.
	about := markup(`<bdi>%s</bdi>`, text(r.ReportNumber))
	if place := placeOf(r); place != "" {
		about += markup(` · <bdi>%s</bdi>`, text(place))
	}
	about += markup(` · <bdi>%s</bdi>`, text(locale.Date(v.lang, r.CreatedAt.In(report.Zone()))))
	return markup(`<a class="row" href="%s">%s<span class="title" dir="auto">%s</span>%s<span class="about">%s</span></a>`,
		address("/r/"+r.ReportNumber), picture, text(title), v.status(r.Status), about)
}

// status is the status of a report as a badge.
func (v view) status(s report.Status) fragment {
	return markup(`<span class="status %s">%s</span>`, text(string(s)), text(v.label("status", string(s))))
}

// placeOf returns street, suco, district and municipality of a report, as far as they are known. Equal neighbours are one.
func placeOf(r reportread.Summary) string {
	var out []string
	for _, p := range []*string{r.Street, r.Suco, r.District, r.Municipality} {
		if p != nil && *p != "" && (len(out) == 0 || out[len(out)-1] != *p) {
			out = append(out, *p)
		}
	}
	return strings.Join(out, ", ")
}
