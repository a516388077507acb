package community

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/comment"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/warning"
)

func (g *Group) registerComments(api *httpapi.API) {
	const path = "/api/v1/reports/{id}/comments"
	add := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: path, Tags: []string{name}, Summary: "Comment on a report",
			Description: "A request with a client_id that was used before gets the first comment again, with status 200. The same client_id with another content, or on another report, is 409 client_id_reused. Comments of staff have is_official set. " +
				"While the report has no verdict, only its reporter and staff may comment: 409 awaiting_verdict for others.",

			DefaultStatus: http.StatusCreated, Responses: map[string]*huma.Response{"200": httpapi.JSON[comment.Comment](api, "The comment existed already")},
		},
		Creates: true, Limit: admission.LimitComment, Lenient: &httpapi.Lenient{NotTaken: []string{"is_anonymous", "images", "upload_id", "image_url", "s3_keys", "status"}}, Aliases: map[string]string{"comment": "content", "text": "content"},
	}
	httpapi.Register(api, add.WithProblems(reportwrite.Problems()...).WithProblems(errAwaitingVerdict, errClientIDReused.With("report_id", problem.ExampleID())), g.addComment)
	list := httpapi.Operation{
		Operation: huma.Operation{Method: http.MethodGet, Path: path, Tags: []string{name}, Summary: "List the comments on a report, oldest first",
			Description: "Empty while the report has no verdict, except for its reporter and staff."},
		Aliases: page.Aliases(),
	}
	httpapi.Register(api, list.WithProblems(report.Problems()...), g.listComments)
	public := httpapi.Operation{
		Operation: huma.Operation{Method: http.MethodGet, Path: "/api/v1/public/reports/{id}/comments", Tags: []string{"public"}, Summary: "List the comments on a report, oldest first",
			Description: "As everybody sees them: empty while the report has no verdict."},
		Access: httpapi.Public, Cache: httpapi.Shared, Limit: admission.LimitView, Aliases: page.Aliases(),
	}
	httpapi.Register(api, public.WithProblems(report.Problems()...), g.listPublicComments)
	remove := httpapi.Operation{Operation: huma.Operation{
		Method: http.MethodDelete, Path: path + "/{c_id}", Tags: []string{name}, Summary: "Remove a comment",
		Description: "Allowed for the author of the comment, moderators and administrators.",
	}}
	httpapi.Register(api, remove.WithProblems(reportwrite.Problems()...).WithProblems(errForbidden, reportwrite.ErrNoComment), g.removeComment)
}

type addInput struct {
	report.RefInput
	Body struct {
		_        struct{} `schema:"CommentCreate"`
		Content  string   `json:"content" minLength:"1" maxLength:"1000" doc:"What is longer is cut (aliases: comment, text)" example:"The hole is deeper since the rain."`
		ClientID *string  `json:"client_id,omitempty" format:"uuid" doc:"Made by the app; a second request with the same id and content gets the first comment again"`
	}
}

type commentOutput struct {
	Status int
	Body   comment.Comment
}

func (g *Group) addComment(ctx context.Context, in *addInput) (*commentOutput, error) {
	content := strings.TrimSpace(database.Text(in.Body.Content))
	if content == "" {
		return nil, problem.InvalidField("content", "is empty")
	}
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	if id := in.Body.ClientID; id != nil && (strings.TrimSpace(*id) == "" || *id == uuid.Nil.String()) {
		in.Body.ClientID = nil // what programs send for none
		warning.FromContext(ctx).Add("client_id", warning.Unreadable)
	}
	out := &commentOutput{}
	var s *commentContext
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		if s, err = lockForComment(ctx, tx, about, in.Body.ClientID); err != nil {
			return err
		}
		if s.repeat != nil {
			out.Status = http.StatusOK
			out.Body, err = g.repeated(ctx, s, content)
		} else {
			out.Status = http.StatusCreated
			out.Body, err = s.insert(ctx, tx, content, in.Body.ClientID)
		}
		if err != nil {
			return err
		}
		out.Body.Warnings = warning.FromContext(ctx).List()
		return httpapi.RecordAnswer(ctx, tx, out.Status, out.Body)
	})
	// This report is locked, so a concurrent comment with the same client_id can only be on another report.
	if database.Violates(err, "report_comments_client_id_key") {
		return nil, errClientIDReused
	}
	if err != nil {
		return nil, err
	}
	if s.entry != nil {
		out.Body.Receipt = g.receipts.Of(ctx, s.entry, s.Report.Number, false)
	}
	return out, nil
}

// repeated is the comment that a request repeats, with its receipt. It fails if the request has other content.
func (g *Group) repeated(ctx context.Context, s *commentContext, content string) (comment.Comment, error) {
	if s.repeat.ReportID != s.Report.ID || !database.SameText(s.repeat.Content, content) {
		return comment.Comment{}, errClientIDReused
	}
	out := *s.repeat
	for _, e := range s.logged {
		out.Receipt = g.receipts.For(ctx, e)
	}
	return out, nil
}

// errClientIDReused means that the client_id was used for another comment.
var errClientIDReused = problem.New(problem.Conflict, "client_id_reused")

// commentContext is what a new comment depends on.
type commentContext struct {
	comment.Target
	author comment.Author
	by     report.Actor
	repeat *comment.Comment // the caller's comment with the same client_id; nil if there is none
	logged []ledger.Logged  // the event of repeat; empty for a comment of an earlier version
	entry  *ledger.NewEntry // of the new comment
}

// lockForComment locks the report, so that it cannot be withdrawn meanwhile, and reads the author and the repeat in the
// same round trip. It fails as reportwrite.Lock and Locked.VisibleTo do if the caller may not see the report.
func lockForComment(ctx context.Context, tx *outbox.Tx, about report.About, clientID *string) (*commentContext, error) {
	caller := identity.Must(ctx)
	v := reportread.ViewerOf(caller)
	by := report.ActorOf(caller)
	target := comment.Lock(tx, about, by.AgencyID)
	author := database.AskRow(tx, func(row pgx.CollectableRow) (comment.Author, error) {
		a := comment.Author{ID: caller.UserID, IsOfficial: caller.Role.IsStaff()}
		err := row.Scan(&a.FullName, &a.Role)
		return a, err
	}, `SELECT full_name, role FROM users WHERE id = $1`, caller.UserID)
	repeat := comment.AskRepeat(tx, v, caller.UserID, clientID)
	logged := ledger.AskLogged(tx, caller.UserID,
		`(e.report_id, e.seq) = (SELECT report_id, seq FROM report_comments WHERE author_id = $1 AND client_id = $2)`, caller.UserID, clientID)
	if err := tx.Flush(ctx); err != nil {
		return nil, fmt.Errorf("lock report for comment: %w", err)
	}
	s := &commentContext{Target: target.Get(), author: author.Get(), by: by, repeat: repeat.Get(), logged: logged.Get()}
	if s.Report.ReportedBy(caller) {
		s.by = report.Actor{Kind: report.ActorCitizen, UserID: &caller.UserID} // on their own report, everybody is a citizen
		s.author.IsOfficial = false
	}
	if err := s.Report.VisibleTo(v); err != nil {
		return nil, err
	}
	if s.Hidden && !v.KnowsAuthor(s.Report.UserID) && s.repeat == nil {
		return nil, errAwaitingVerdict
	}
	return s, nil
}

// insert adds a comment. If its author spoke for an agency or the operators, the audit log says so; not what they said.
func (s *commentContext) insert(ctx context.Context, tx *outbox.Tx, content string, clientID *string) (comment.Comment, error) {
	c, entry, err := s.Add(ctx, tx, comment.New{Author: s.author, By: s.by, Content: content, ClientID: clientID})
	if err != nil {
		return comment.Comment{}, err
	}
	s.entry = entry
	if !s.author.IsOfficial {
		return c, nil
	}
	return c, audit.Record(ctx, tx, audit.Entry{
		Action: "comment.add", Entity: "comment", EntityID: c.ID.String(), After: map[string]any{"report_id": c.ReportID},
	})
}

type commentsInput struct {
	report.RefInput
	page.Query
}

type commentsOutput struct {
	Body page.Envelope[comment.Comment]
}

func (g *Group) listComments(ctx context.Context, in *commentsInput) (*commentsOutput, error) {
	return g.commentsFor(ctx, reportread.ViewerOf(identity.Must(ctx)), in)
}

func (g *Group) listPublicComments(ctx context.Context, in *commentsInput) (*commentsOutput, error) {
	return g.commentsFor(ctx, reportread.Public(), in)
}

// commentsFor lists the comments that v may see.
func (g *Group) commentsFor(ctx context.Context, v reportread.Viewer, in *commentsInput) (*commentsOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	batch := &database.Batch{}
	readable := v.MayRead(batch, about)
	items, total := comment.AskList(batch, v, about, in.Limit(), in.Offset()), comment.AskCount(batch, about)
	if err := batch.Send(ctx, g.db); err != nil {
		return nil, fmt.Errorf("list comments: %w", err)
	}
	if !readable.Get() {
		return &commentsOutput{Body: page.NewEnvelope(in.Query, []comment.Comment{}, 0)}, nil
	}
	return &commentsOutput{Body: page.NewEnvelope(in.Query, items.Get(), total.Get())}, nil
}
