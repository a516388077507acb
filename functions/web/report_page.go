package web

import (
	"context"
	_ "embed" // the pages
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/comment"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

//go:embed pages/report.html
var reportHTML string

//go:embed pages/missing.html
var missingHTML string

type reportPageInput struct {
	PageInput
	Number report.Ref `path:"number" doc:"Report number or id" example:"LS-2026-000123"`
}

// firstComments is how many comments the page has at first. A script gets further ones.
const firstComments = 20

// shownReport is a report as everybody may see it, with what the page shows besides.
type shownReport struct {
	view
	reportread.Report
	comments   []comment.Comment // at most firstComments, without the hidden ones
	commented  int               // how many there are
	duplicates int
	now        time.Time
}

func (w *Web) reportPage(ctx context.Context, in *reportPageInput) (*pageOutput, error) {
	ctx, v := w.view(ctx, in.PageInput)
	found, err := w.readShown(ctx, v, in.Number)
	var refused *problem.Error
	if errors.As(err, &refused) && (refused.Kind == problem.NotFound || refused.Kind == problem.Invalid) {
		return v.render(content{status: http.StatusNotFound, title: v.t("page.report.no_report"), main: literal(missingHTML)})
	}
	if t := report.TombstoneOf(err); t != nil {
		return v.ofRemoved(t)
	}
	if err != nil {
		return nil, err
	}
	return found.page()
}

// readShown reads a report as everybody may see it, in one round trip.
func (w *Web) readShown(ctx context.Context, v view, ref report.Ref) (shownReport, error) {
	about, err := ref.About()
	if err != nil {
		return shownReport{}, err
	}
	const countDuplicates = `SELECT count(*) FROM reports r JOIN reports d ON d.duplicate_of = r.id
		WHERE d.deleted_at IS NULL AND d.status = 'duplicate' AND r.id = ` + report.IDSQL
	batch, public := &database.Batch{}, reportread.Public()
	asked := w.reader.AskAbout(batch, public, about)
	comments, commented := comment.AskList(batch, public, about, firstComments, 0), comment.AskCount(batch, about)
	duplicates := database.AskRow(batch, pgx.RowTo[int], countDuplicates, about.Args()...)
	if err := batch.Send(ctx, w.db); err != nil {
		return shownReport{}, fmt.Errorf("read report for its page: %w", err)
	}
	out := shownReport{view: v, duplicates: duplicates.Get(), now: w.clock.Now()}
	if out.Report, err = asked.Report(ctx); err != nil {
		return shownReport{}, err
	}
	if out.ContentPending {
		return out, nil // its comments are for its reporter and staff
	}
	out.commented = commented.Get()
	for _, c := range comments.Get() {
		if !c.ContentHidden {
			out.comments = append(out.comments, c)
		}
	}
	return out, nil
}

// page renders the page of the report.
func (r shownReport) page() (*pageOutput, error) {
	proof, err := r.proof(r.ReportNumber, r.anchor(r.Blockchain))
	if err != nil {
		return nil, err
	}
	own := map[string]fragment{
		"number": text(r.ReportNumber), "heading": text(r.heading()), "badges": r.badges(), "notices": r.notices(), "pictures": r.pictures(),
		"description": r.description(), "facts": r.facts(), "people": text(r.people()), "ladder": r.ladder(), "history": r.history(), "where": r.where(),
		"comments": r.commentList(), "qr": address("/api/v1/public/reports/" + r.ReportNumber + "/qr.svg"), "link": text(r.web.Report(r.ReportNumber)), "proof": proof,
	}
	data := map[string]any{"id": r.ID, "number": r.ReportNumber, "status": r.Status, "title": r.heading(), "link": r.shareLink(), "comments": len(r.comments),
		"commented": r.commented, "confirmations": r.ConfirmationsCount, "followers": r.FollowersCount, "pending": r.ContentPending, "duplicates": r.othersAlike(), "steps": len(r.StatusHistory), "by": r.capacities(), "disputed": r.t("page.report.disputed")}
	return r.render(content{title: r.heading() + " · " + r.ReportNumber, description: r.cardText(), head: r.card() + r.stylesheet("report.css"), main: literal(reportHTML), values: own,
		modules: reportModules(), topics: []string{"act", "actions", "proof"}, data: r.withEvents(data), connect: []string{origin(r.mirror)}})
}

// reportModules are the scripts that a page of a report starts with.
func reportModules() []string {
	return []string{"core.js", "report_flag.js", "report_comments.js", "report_fresh.js", "report.js"}
}

// heading is the title of the report, or its type.
func (r shownReport) heading() string {
	if r.Title != "" {
		return r.Title
	}
	return r.label("issue_type", string(r.IssueType))
}

// overdue reports whether the agency should have repaired it by now. A deadline waits while no agency has the report.
func (r shownReport) overdue() bool {
	open := r.Status == report.Verified || r.Status == report.InProgress
	return open && r.AssignedAgency != nil && r.DueAt != nil && r.DueAt.Before(r.now)
}
