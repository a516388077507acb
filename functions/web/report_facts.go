package web

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// badges are the status, and that the report is overdue.
func (r shownReport) badges() fragment {
	out := markup(`<span id="status">%s</span>`, r.view.status(r.Status))
	if r.overdue() {
		out += markup(` <span class="status overdue">%s</span>`, text(r.t("page.report.overdue")))
	}
	return out
}

// notices say why something is missing or changed, and name the original of a duplicate.
func (r shownReport) notices() fragment {
	var out []fragment
	notice := func(testid literal, words fragment) {
		out = append(out, markup(`<p class="note" data-testid="`+testid+`">%s</p>`, words))
	}
	switch {
	case r.DuplicateOf != nil:
		link := markup(`<a href="%s">%s</a>`, address("/r/"+r.DuplicateOf.ReportNumber), text(r.DuplicateOf.ReportNumber))
		notice("original", markup(`%s %s`, text(r.t("page.report.duplicate_of")), link))
	case r.Status == report.Duplicate:
		notice("original", text(r.t("page.report.duplicate_of_hidden")))
	}
	if r.ContentPending {
		notice("content-pending", text(r.t("page.report.content_pending")))
	}
	if r.ContentHidden {
		notice("content-hidden", text(r.t("page.report.content_hidden")))
	}
	if r.ContentEdited {
		notice("content-edited", text(r.t("page.report.edited")))
	}
	return joined(out)
}

func (r shownReport) description() fragment {
	if r.Description == "" {
		return ""
	}
	return markup(`<p class="words" dir="auto">%s</p>`, text(r.Description))
}

// facts are what is known of the report, as pairs of a name and a value.
func (r shownReport) facts() fragment {
	var out []fragment
	fact := func(key string, value fragment) {
		out = append(out, markup(`<dt>%s</dt><dd>%s</dd>`, text(r.t(key)), value))
	}
	kind := r.label("issue_type", string(r.IssueType))
	if r.IssueTypeRaw != nil && *r.IssueTypeRaw != "" {
		kind += " · " + *r.IssueTypeRaw
	}
	fact("page.report.kind", markup(`<span dir="auto">%s</span>`, text(kind)))
	if r.Severity != nil {
		fact("page.report.severity", text(r.label("severity", string(*r.Severity))))
	}
	if where := placeOf(r.Summary); where != "" {
		fact("page.report.place", markup(`<span dir="auto">%s</span>`, text(where)))
	}
	fact("page.report.reported", r.moment(r.CreatedAt))
	if r.AssignedAgency != nil {
		fact("page.report.agency", text(r.AssignedAgency.Name))
	} else if r.Status == report.Verified {
		fact("page.report.agency", text(r.t("page.report.no_agency")))
	}
	if r.DueAt != nil && r.AssignedAgency != nil {
		due := r.day(*r.DueAt)
		if r.overdue() {
			due += markup(` · <strong class="bad">%s</strong>`, text(r.t("page.report.overdue")))
		}
		fact("page.report.deadline", due)
	}
	if check := r.check(); check != "" {
		fact("page.report.check", text(check))
	}
	if r.AI != nil && r.AI.RecommendedRepair != nil && *r.AI.RecommendedRepair != "" {
		fact("page.report.repair", markup(`<span dir="auto">%s</span>`, text(*r.AI.RecommendedRepair)))
	}
	if words := r.t("page.report.source_" + string(r.Source)); words != "" {
		fact("page.report.source", text(words))
	}
	return joined(out)
}

// checkedByModerator reports whether a moderator or an administrator decided: by a finding of their own, which has a confidence of
// 1, or by a change of the status.
func (r shownReport) checkedByModerator() bool {
	if r.AI != nil && r.AI.Confidence != nil && *r.AI.Confidence == 1 {
		return true
	}
	return slices.ContainsFunc(r.StatusHistory, func(s reportread.Step) bool {
		return s.OldStatus != nil && (s.ChangedBy == string(report.ActorModerator) || s.ChangedBy == string(report.ActorAdmin))
	})
}

// check is what AI found in the picture, or that a moderator decided: then what AI found does not count any more.
func (r shownReport) check() string {
	if r.checkedByModerator() {
		return r.t("page.report.check_moderator")
	}
	a := r.AI
	if a == nil {
		return ""
	}
	switch a.Status {
	case report.AICompleted, report.AIRejected:
		if a.IsRelevant == nil {
			return ""
		}
		words := r.t("page.report.check_seen")
		if !*a.IsRelevant {
			words = r.t("page.report.check_not_seen")
		}
		if a.Confidence != nil {
			words += " " + r.with("page.report.check_sure", map[string]string{"percent": strconv.Itoa(int(100 * *a.Confidence))})
		}
		return words
	case report.AINeedsReview:
		return r.t("page.report.check_unsure")
	case report.AIFailed:
		return r.t("page.report.check_failed")
	}
	return r.t("page.report.check_waiting")
}

// people says how many confirmed and follow the report, and how many other reports are about the same.
func (r shownReport) people() string {
	var out []string
	if r.ConfirmationsCount > 0 {
		out = append(out, r.count("page.act.confirmations", r.ConfirmationsCount))
	}
	if r.FollowersCount > 0 {
		out = append(out, r.count("page.act.followers", r.FollowersCount))
	}
	if alike := r.othersAlike(); alike != "" {
		out = append(out, alike)
	}
	return strings.Join(out, " ")
}

// othersAlike says how many other reports are duplicates of this one; empty for none.
func (r shownReport) othersAlike() string {
	if r.duplicates == 0 {
		return ""
	}
	return r.count("page.report.duplicates", r.duplicates)
}

// ladder is the way from pending to fixed; the steps that the report has reached are marked. A duplicate is not on this way.
func (r shownReport) ladder() fragment {
	all := []report.Status{report.Pending, report.Verified, report.InProgress, report.Fixed}
	at := slices.Index(all, r.Status)
	if at < 0 {
		return ""
	}
	var out []fragment
	for i, s := range all {
		mark := fragment("")
		switch {
		case i == at:
			mark = ` class="done" aria-current="step"`
		case i < at:
			mark = ` class="done"`
		}
		out = append(out, markup(`<li%s>%s</li>`, mark, text(r.label("status", string(s)))))
	}
	return markup(`<ol class="ladder">%s</ol>`, joined(out))
}

// capacities are the names of who changes a status, by the values of the API.
func (r shownReport) capacities() map[string]string {
	out := map[string]string{}
	for _, by := range []report.ActorKind{report.ActorAI, report.ActorCitizen, report.ActorModerator, report.ActorOfficial, report.ActorAdmin} {
		out[string(by)] = r.t("page.by_" + string(by))
	}
	return out
}

// history are the changes of status: what, when, by whom in which capacity, and the note. step in report_fresh.js makes one, too.
func (r shownReport) history() fragment {
	var out []fragment
	for _, c := range r.StatusHistory {
		by := r.t("page.by_" + c.ChangedBy)
		if c.AgencyName != nil {
			by += ", " + *c.AgencyName
		}
		what := markup(`<strong class="%s">%s</strong>`, text(string(c.NewStatus)), text(r.label("status", string(c.NewStatus))))
		if c.OldStatus != nil && *c.OldStatus == report.Fixed && c.ChangedBy == string(report.ActorCitizen) {
			by += " " + r.t("page.report.disputed")
		}
		note := fragment("")
		if c.Note != nil && *c.Note != "" {
			note = markup(`<p class="words" dir="auto">%s</p>`, text(*c.Note))
		}
		out = append(out, markup(`<li>%s <span class="soft">%s · %s</span>%s</li>`, what, r.moment(c.CreatedAt), text(by), note))
	}
	return joined(out)
}
