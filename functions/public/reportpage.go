package public

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

type reportPageInput struct {
	PageInput
	Number report.Ref `path:"number" doc:"Report number or id" example:"LS-2026-000123"`
}

// reportView is the page of a report.
type reportView struct {
	view
	Report card
}

// card is a report in a reader's words.
type card struct {
	ID                                  uuid.UUID
	Number, Heading, Description, Place string
	Status                              report.Status
	StatusLabel, SeverityLabel          string
	Photo                               string
	PhotoWidth, PhotoHeight             int
	Steps                               []step
	History                             []moment
	Ledger                              *anchor
}

type step struct {
	Label string
	Done  bool
}

type moment struct {
	At, When, Label, By string
	Status              report.Status
}

type anchor struct{ Network, Transaction, Explorer string }

func (p *Public) reportPage(ctx context.Context, in *reportPageInput) (*pageOutput, error) {
	v := p.view(ctx, in.PageInput)
	found, err := p.find(ctx, in.Number)
	var refused *problem.Error
	if errors.As(err, &refused) && (refused.Kind == problem.NotFound || refused.Kind == problem.Invalid) {
		return p.render(http.StatusNotFound, "missing.html", v)
	}
	if err != nil {
		return nil, err
	}
	v.Texts, err = scriptTexts(map[string]string{
		"hash": v.T("page.check_hash"), "chain": v.T("page.check_chain"), "batch": v.T("page.check_batch"), "ledger": v.T("page.check_ledger"),
		"unreachable": v.T("page.check_unreachable"), "checking": v.T("page.checking"), "good": v.T("page.proof_good"),
		"bad": v.T("page.proof_bad"), "failed": v.T("page.proof_failed"),
	})
	if err != nil {
		return nil, err
	}
	return p.render(http.StatusOK, "report.html", reportView{v, newCard(v, found)})
}

func newCard(v view, r report.Report) card {
	c := card{
		ID: r.ID, Number: r.ReportNumber, Heading: r.Title, Description: r.Description, Status: r.Status,
		StatusLabel: v.T("label.status." + string(r.Status)), SeverityLabel: v.T("label.severity." + string(r.Severity)),
		Place: joined(r.Street, r.Suco, r.District, r.Municipality), Steps: steps(v, r.Status),
	}
	if c.Heading == "" {
		c.Heading = v.T("label.issue_type." + string(r.IssueType))
	}
	for _, i := range r.Images {
		if i.ImageURL != nil && i.Width != nil && i.Height != nil {
			c.Photo, c.PhotoWidth, c.PhotoHeight = *i.ImageURL, *i.Width, *i.Height
			break
		}
	}
	for _, s := range r.StatusHistory {
		c.History = append(c.History, moment{
			At: s.CreatedAt.String(), When: s.CreatedAt.In(report.Zone()).Format("2006-01-02 15:04"),
			Label: v.T("label.status." + string(s.NewStatus)), By: v.T("page.by_" + s.ChangedBy), Status: s.NewStatus,
		})
	}
	if id := r.Blockchain.TransactionID; id != nil {
		c.Ledger = &anchor{Network: r.Blockchain.Network, Transaction: *id}
		if url := r.Blockchain.ExplorerURL; url != nil {
			c.Ledger.Explorer = *url
		}
	}
	return c
}

// steps is the way from filing to fixed, as far as the report has come.
func steps(v view, s report.Status) []step {
	way := []report.Status{report.Pending, report.Verified, report.InProgress, report.Fixed}
	reached := 0
	for i, w := range way {
		if w == s {
			reached = i
		}
	}
	var out []step
	for i, w := range way {
		out = append(out, step{v.T("label.status." + string(w)), i <= reached})
	}
	return out
}

func joined(parts ...*string) string {
	var out []string
	for _, p := range parts {
		if p != nil && *p != "" {
			out = append(out, *p)
		}
	}
	return strings.Join(out, ", ")
}
