package reports

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

func (g *Group) registerFollow(api *httpapi.API) {
	const path = "/api/v1/reports/{id}/follow"
	op := func(method, summary, description string) httpapi.Operation {
		return httpapi.Operation{Operation: huma.Operation{Method: method, Path: path, Tags: []string{tag}, Summary: summary, Description: description}}
	}
	follow := op(http.MethodPost, "Follow a report", "The caller is told what the reporter is told: in the app, and by mail and push as their preferences say. "+
		"Of a rejection or removal the reason is told, not the note. A second request changes nothing.")
	follow.DefaultStatus = http.StatusOK
	httpapi.Register(api, follow.WithProblems(report.Problems()...), g.follow)
	httpapi.Register(api, op(http.MethodDelete, "Stop following a report", "Also of a report that is gone. A second request changes nothing.").WithProblems(report.ErrNotFound), g.unfollow)
}

type followOutput struct {
	Body struct {
		_         struct{} `schema:"Following"`
		Following bool     `json:"following"`
	}
}

// followSQL has a person follow a report; $1 is the report and $2 the person. It changes nothing the second time.
const followSQL = `WITH added AS (INSERT INTO report_follows (report_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING report_id)
	UPDATE reports r SET followers_count = followers_count + 1 FROM added WHERE r.id = added.report_id`

func (g *Group) follow(ctx context.Context, in *report.RefInput) (*followOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	caller := identity.Must(ctx)
	err = g.db.InTx(ctx, func(tx *database.Tx) error {
		reportread.ViewerOf(caller).MayChange(tx, about)
		id := database.AskRow(tx, pgx.RowTo[uuid.UUID], `SELECT id FROM reports WHERE id = `+report.IDSQL, about.Args()...)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("read report to follow: %w", err)
		}
		tx.Queue(followSQL, id.Get(), caller.UserID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &followOutput{}
	out.Body.Following = true
	return out, nil
}

func (g *Group) unfollow(ctx context.Context, in *report.RefInput) (*followOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	const q = `
		WITH gone AS (DELETE FROM report_follows WHERE report_id = ` + report.IDSQL + ` AND user_id = $3 RETURNING report_id),
		counted AS (UPDATE reports r SET followers_count = greatest(0, followers_count - 1) FROM gone WHERE r.id = gone.report_id)
		SELECT true FROM reports WHERE id = ` + report.IDSQL
	var there bool
	err = g.db.QueryRow(ctx, q, about.Args(identity.Must(ctx).UserID)...).Scan(&there)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, report.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("stop following: %w", err)
	}
	return &followOutput{}, nil
}
