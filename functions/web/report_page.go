package web

import (
	"context"
	_ "embed" // the pages
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/upload"
)

//go:embed pages/report.html
var reportHTML string

//go:embed pages/missing.html
var missingHTML string

type reportPageInput struct {
	PageInput
	Number report.Ref `path:"number" doc:"Report number or id" example:"LS-2026-000123"`
}

func (w *Web) reportPage(ctx context.Context, in *reportPageInput) (*pageOutput, error) {
	ctx, v := w.view(ctx, in.PageInput)
	found, err := w.reader.ReportNamed(ctx, reportread.Public(), in.Number)
	var refused *problem.Error
	if errors.As(err, &refused) && (refused.Kind == problem.NotFound || refused.Kind == problem.Invalid) {
		return v.render(content{status: http.StatusNotFound, main: literal(missingHTML)})
	}
	if t := report.TombstoneOf(err); t != nil {
		return v.ofRemoved(t)
	}
	if err != nil {
		return nil, err
	}
	return v.ofReport(found)
}

// ofReport renders the page of a report.
func (v view) ofReport(r reportread.Report) (*pageOutput, error) {
	heading := r.Title
	if heading == "" {
		heading = v.t("label.issue_type." + string(r.IssueType))
	}
	where := placeOf(r.Summary)
	own := map[string]fragment{
		"id": text(r.ID.String()), "number": text(r.ReportNumber), "heading": text(heading), "place": text(where),
		"status": text(string(r.Status)), "status_label": text(v.t("label.status." + string(r.Status))),
		"severity_label": "", "photo_preview": "", "photo": markup(`<p class="soft">%s</p>`, text(v.t("page.report.no_photo"))),
		"after_severity": "", "description": "", "mirror": text(v.mirror),
		"steps": v.steps(r.Status), "history": v.history(r.StatusHistory), "ledger": v.anchor(r.Blockchain),
	}
	if r.Severity != nil {
		own["severity_label"] = text(v.t("label.severity." + string(*r.Severity)))
	}
	if r.ContentPending {
		own["photo"] = markup(`<p class="soft" data-testid="content-pending">%s</p>`, text(v.t("page.report.content_pending")))
	}
	if r.ContentHidden {
		own["description"] = markup(`<p class="soft" data-testid="content-hidden">%s</p>`, text(v.t("page.report.content_hidden")))
	}
	if where != "" {
		own["after_severity"] = markup(` · %s`, text(where))
	}
	if r.Description != "" {
		own["description"] = markup(`<p>%s</p>`, text(r.Description))
	}
	if photos := v.photos(r.Images, heading); photos != "" {
		own["photo"] = photos
	}
	if i := slices.IndexFunc(r.Images, func(i reportread.Image) bool {
		return i.Kind == "evidence" && i.ImageURL != nil && i.Width != nil && i.Height != nil
	}); i >= 0 {
		own["photo_preview"] = v.card(r.ReportNumber, r.Images[i])
	}
	return v.render(content{title: heading + " · " + r.ReportNumber, description: heading + ", " + where, head: markup(`<meta property="og:title" content="%s">`, text(heading)) + own["photo_preview"],
		main: literal(reportHTML), values: own, modules: []string{"core.js", "proof.js"}, topics: []string{"proof"}, data: v.proofData(), connect: []string{origin(v.mirror)}})
}

// photos are the pictures of a report, each with its name: what was reported, the repair, and those that say that it is not
// done.
func (v view) photos(images []reportread.Image, heading string) fragment {
	var out []fragment
	for _, kind := range []string{"evidence", "resolution", "dispute"} {
		for _, i := range images {
			if i.Kind != kind || i.ImageURL == nil || i.Width == nil || i.Height == nil {
				continue
			}
			name := v.t("page.report.photo_" + kind)
			out = append(out, markup(`<figure data-kind="%s"><img class="photo" src="%s" alt="%s" width="%s" height="%s"><figcaption class="soft">%s</figcaption></figure>`,
				text(kind), address(*i.ImageURL), text(heading+" · "+name), text(strconv.Itoa(*i.Width)), text(strconv.Itoa(*i.Height)), text(name)))
		}
	}
	return joined(out)
}

// card names the picture of share cards, at an address that lasts.
func (v view) card(number string, i reportread.Image) fragment {
	return markup(`<meta property="og:image" content="%s">
<meta property="og:image:width" content="%s">
<meta property="og:image:height" content="%s">`, address(v.web.Picture(number, i.ID, string(upload.Display))), text(strconv.Itoa(*i.Width)), text(strconv.Itoa(*i.Height)))
}

// proofData is what the script needs that compares a report with the public log.
func (v view) proofData() map[string]any {
	return map[string]any{"events": labels(v, "event", ledger.Types())}
}

// steps returns the list of statuses from pending to fixed. Those that the report has reached are marked.
func (v view) steps(s report.Status) fragment {
	all := []report.Status{report.Pending, report.Verified, report.InProgress, report.Fixed}
	reached := max(0, slices.Index(all, s))
	var out []fragment
	for i, w := range all {
		done := fragment("")
		if i <= reached {
			done = ` class="done"`
		}
		out = append(out, markup(`<li%s>%s</li>`, done, text(v.t("label.status."+string(w)))))
	}
	return joined(out)
}

func (v view) history(changes []reportread.Step) fragment {
	var out []fragment
	for _, c := range changes {
		who := fragment("")
		if by := v.t("page.by_" + c.ChangedBy); by != "" {
			who = markup(` · <span class="soft">%s</span>`, text(by))
		}
		if c.OldStatus != nil && *c.OldStatus == report.Fixed && c.ChangedBy == string(report.ActorCitizen) {
			who = markup(`%s · %s`, who, text(v.t("page.report.disputed")))
		}
		out = append(out, markup(`<li><time datetime="%s">%s</time> · <strong class="%s">%s</strong>%s</li>`,
			text(c.CreatedAt.String()), text(c.CreatedAt.In(report.Zone()).Format("2006-01-02 15:04")),
			text(string(c.NewStatus)), text(v.t("label.status."+string(c.NewStatus))), who))
	}
	return joined(out)
}

func (v view) anchor(b ledger.Anchor) fragment {
	if b.TransactionID == nil {
		return markup(`<p class="soft">%s</p>`, text(v.t("page.report.not_anchored")))
	}
	transaction := markup(`<code>%s</code>`, text(*b.TransactionID))
	if b.ExplorerURL != nil && *b.ExplorerURL != "" {
		transaction = markup(`<a href="%s" rel="noopener">%s</a>`, address(*b.ExplorerURL), text(*b.TransactionID))
	}
	return markup(`<dl><dt>%s</dt><dd>%s</dd><dt>%s</dt><dd>%s</dd></dl>`, text(v.t("page.report.network")), text(b.Network),
		text(v.t("page.report.transaction")), transaction)
}
