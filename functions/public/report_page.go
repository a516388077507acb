package public

import (
	"context"
	_ "embed" // the pages
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/upload"
)

//go:embed web/report.html
var reportHTML string

//go:embed web/missing.html
var missingHTML string

type reportPageInput struct {
	PageInput
	Number report.Ref `path:"number" doc:"Report number or id" example:"LS-2026-000123"`
}

func (p *Public) reportPage(ctx context.Context, in *reportPageInput) (*pageOutput, error) {
	v := p.view(ctx, in.PageInput)
	found, err := p.find(ctx, in.Number)
	var refused *problem.Error
	if errors.As(err, &refused) && (refused.Kind == problem.NotFound || refused.Kind == problem.Invalid) {
		return v.render(http.StatusNotFound, literal(missingHTML), nil)
	}
	if t := report.TombstoneOf(err); t != nil {
		return v.ofRemoved(t)
	}
	if err != nil {
		return nil, err
	}
	return v.ofReport(found)
}

// proofTexts are the texts of the script that compares a report with the public log.
func (v view) proofTexts() (fragment, error) {
	texts, err := scriptTexts(map[string]any{
		"hash": v.t("page.check_hash"), "chain": v.t("page.check_chain"), "log": v.t("page.check_log"), "ledger": v.t("page.check_ledger"),
		"report": v.t("page.check_report"), "pictures": v.t("page.check_pictures"), "queued": v.t("page.check_queued"),
		"withheld": v.t("page.check_withheld"), "unreachable": v.t("page.check_unreachable"),
		"left_pictures": v.t("page.left_pictures"), "left_ledger": v.t("page.left_ledger"), "left_old": v.t("page.left_old"), "left_batch": v.t("page.left_batch"), "left_hidden": v.t("page.left_hidden"),
		"left_original": v.t("page.left_original"),
		"left_words":    v.t("page.left_words"), "left_rest": v.t("page.left_rest"), "left_keys": v.t("page.left_keys"),
		"events":   v.eventNames(),
		"checking": v.t("page.checking"), "failed": v.t("page.proof_failed"),
		"verdicts": map[string]string{"good": v.t("page.proof_good"), "bad": v.t("page.proof_bad"), "waiting": v.t("page.proof_waiting"),
			"unreachable": v.t("page.proof_unreachable")},
	})
	if err != nil {
		return "", fmt.Errorf("texts of the page: %w", err)
	}
	return texts, nil
}

// ofReport renders the page of a report.
func (v view) ofReport(r reportread.Report) (*pageOutput, error) {
	texts, err := v.proofTexts()
	if err != nil {
		return nil, err
	}
	heading := r.Title
	if heading == "" {
		heading = v.t("label.issue_type." + string(r.IssueType))
	}
	where := placeOf(r)
	own := map[string]fragment{
		"texts": texts, "id": text(r.ID.String()), "number": text(r.ReportNumber), "heading": text(heading), "place": text(where),
		"status": text(string(r.Status)), "status_label": text(v.t("label.status." + string(r.Status))),
		"severity_label": "", "photo_preview": "", "photo": markup(`<p class="soft">%s</p>`, text(v.t("page.no_photo"))),
		"after_severity": "", "description": "", "mirror": text(v.mirror),
		"steps": v.steps(r.Status), "history": v.history(r.StatusHistory), "ledger": v.anchor(r.Blockchain),
	}
	if r.Severity != nil {
		own["severity_label"] = text(v.t("label.severity." + string(*r.Severity)))
	}
	if r.ContentPending {
		own["photo"] = markup(`<p class="soft" data-testid="content-pending">%s</p>`, text(v.t("page.content_pending")))
	}
	if r.ContentHidden {
		own["description"] = markup(`<p class="soft" data-testid="content-hidden">%s</p>`, text(v.t("page.content_hidden")))
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
	v.connect = append(v.connect, pictureOrigins(r.Images)...)
	return v.render(http.StatusOK, literal(reportHTML), own)
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
			name := v.t("page.photo_" + kind)
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

// eventNames are the names of the events of the ledger in the reader's language.
func (v view) eventNames() map[ledger.Type]string {
	out := make(map[ledger.Type]string)
	for _, t := range ledger.Types() {
		out[t] = v.t("label.event." + string(t))
	}
	return out
}

// pictureOrigins returns the origins that the page's script reads pictures from.
func pictureOrigins(images []reportread.Image) []string {
	var out []string
	for _, i := range images {
		for _, address := range []*string{i.ImageURL, i.ThumbnailURL} {
			if address == nil {
				continue
			}
			u, err := url.Parse(*address)
			if err != nil || u.Host == "" {
				continue
			}
			if origin := u.Scheme + "://" + u.Host; !slices.Contains(out, origin) {
				out = append(out, origin)
			}
		}
	}
	return out
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
			who = markup(`%s · %s`, who, text(v.t("page.disputed")))
		}
		out = append(out, markup(`<li><time datetime="%s">%s</time> · <strong class="%s">%s</strong>%s</li>`,
			text(c.CreatedAt.String()), text(c.CreatedAt.In(report.Zone()).Format("2006-01-02 15:04")),
			text(string(c.NewStatus)), text(v.t("label.status."+string(c.NewStatus))), who))
	}
	return joined(out)
}

func (v view) anchor(b ledger.Anchor) fragment {
	if b.TransactionID == nil {
		return markup(`<p class="soft">%s</p>`, text(v.t("page.not_anchored")))
	}
	transaction := markup(`<code>%s</code>`, text(*b.TransactionID))
	if b.ExplorerURL != nil && *b.ExplorerURL != "" {
		transaction = markup(`<a href="%s" rel="noopener">%s</a>`, address(*b.ExplorerURL), text(*b.TransactionID))
	}
	return markup(`<dl><dt>%s</dt><dd>%s</dd><dt>%s</dt><dd>%s</dd></dl>`, text(v.t("page.network")), text(b.Network),
		text(v.t("page.transaction")), transaction)
}

// placeOf returns street, suco, district and municipality of a report, as far as they are known.
func placeOf(r reportread.Report) string {
	var out []string
	for _, p := range []*string{r.Street, r.Suco, r.District, r.Municipality} {
		if p != nil && *p != "" {
			out = append(out, *p)
		}
	}
	return strings.Join(out, ", ")
}
