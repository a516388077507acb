package community

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (g *Group) registerComments(api *httpapi.API) {
	const path = "/api/v1/reports/{id}/comments"
	add := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: path, Tags: []string{name}, Summary: "Comment on a report",
			Description:   "A repeat of a client_id gets the same comment with status 200. Comments of officials are marked.",
			DefaultStatus: http.StatusCreated, Responses: map[string]*huma.Response{"200": httpapi.JSON[Comment](api, "The comment was there before")},
		},
		Creates: true, Aliases: map[string]string{"comment": "content", "text": "content"},
	}
	httpapi.Register(api, add, g.addComment)
	list := httpapi.Operation{
		Operation: huma.Operation{Method: http.MethodGet, Path: path, Tags: []string{name}, Summary: "List the comments on a report, oldest first"},
		Aliases:   page.Aliases(),
	}
	httpapi.Register(api, list, g.comments)
	remove := httpapi.Operation{Operation: huma.Operation{
		Method: http.MethodDelete, Path: path + "/{c_id}", Tags: []string{name}, Summary: "Remove a comment",
		Description: "By its author, moderators and administrators.", Errors: []int{http.StatusForbidden},
	}}
	httpapi.Register(api, remove, g.removeComment)
}

// Comment is what somebody said about a report.
type Comment struct {
	ID        uuid.UUID      `json:"id"`
	ReportID  uuid.UUID      `json:"report_id"`
	Author    *Author        `json:"author" doc:"null for somebody who left, and for the reporter of an anonymous report"`
	Content   string         `json:"content"`
	CreatedAt timestamp.Time `json:"created_at"`
}

// Author is who said it.
type Author struct {
	ID         uuid.UUID     `json:"id"`
	FullName   string        `json:"full_name"`
	Role       identity.Role `json:"role" enum:"citizen,moderator,government_official,admin"`
	IsOfficial bool          `json:"is_official" doc:"Said for an agency or the operators"`
}

type addInput struct {
	RefInput
	Body struct {
		_        struct{} `additionalProperties:"true"`
		Content  string   `json:"content" minLength:"1" maxLength:"1000" doc:"Aliases: comment, text" example:"The hole is deeper since the rain."`
		ClientID *string  `json:"client_id,omitempty" format:"uuid" doc:"Made by the phone; a repeat gets the same comment"`
	}
}

type commentOutput struct {
	Status int
	Body   Comment
}

func (g *Group) addComment(ctx context.Context, in *addInput) (*commentOutput, error) {
	content := strings.TrimSpace(database.Text(in.Body.Content))
	if content == "" {
		return nil, problem.InvalidField("content", "says nothing")
	}
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	out := &commentOutput{}
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		s, err := look(ctx, tx, about, in.Body.ClientID)
		if err != nil {
			return err
		}
		if s.repeat != nil && s.repeat.ReportID != s.report.ID {
			return errElsewhere
		}
		if out.Status = http.StatusOK; s.repeat != nil {
			out.Body = *s.repeat
		} else {
			out.Status = http.StatusCreated
			if out.Body, err = s.insert(ctx, tx, content, in.Body.ClientID); err != nil {
				return err
			}
		}
		return httpapi.RecordAnswer(ctx, tx, out.Status, out.Body)
	})
	if database.Violates(err, "report_comments_client_id_key") { // of another report at this moment: one's own is locked
		return nil, errElsewhere
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// errElsewhere: what was sent before under this client_id is said of another report, and not what is asked for now.
var errElsewhere = problem.New(problem.Conflict, "comment_elsewhere")

// surroundings are what decides about a comment.
type surroundings struct {
	report *reportwrite.Locked
	author Author
	repeat *Comment // that it repeats; nil for none
}

// look locks the report, which also keeps it from being withdrawn meanwhile, and reads the rest, in one round trip.
func look(ctx context.Context, tx *outbox.Tx, about report.About, clientID *string) (*surroundings, error) {
	caller := identity.Must(ctx)
	v := reportread.ViewerOf(caller)
	locked := reportwrite.Lock(tx, about)
	author := database.AskRow(tx, func(row pgx.CollectableRow) (Author, error) {
		a := Author{ID: caller.UserID, IsOfficial: caller.Role.IsStaff()}
		err := row.Scan(&a.FullName, &a.Role)
		return a, err
	}, `SELECT full_name, role FROM users WHERE id = $1`, caller.UserID)
	repeat := database.AskOptional(tx, func(row pgx.CollectableRow) (Comment, error) { return scan(row, v) },
		`SELECT `+commentColumns+` WHERE c.author_id = $1 AND c.client_id = $2`, caller.UserID, clientID)
	if err := tx.Flush(ctx); err != nil {
		return nil, fmt.Errorf("look before commenting: %w", err)
	}
	s := &surroundings{report: locked.Get(), author: author.Get(), repeat: repeat.Get()}
	return s, s.report.VisibleTo(v)
}

// insert adds a comment and tells the report's people, with the commit.
func (s *surroundings) insert(ctx context.Context, tx *outbox.Tx, content string, clientID *string) (Comment, error) {
	c := Comment{ID: database.NewID(), ReportID: s.report.ID, Author: &s.author, Content: content, CreatedAt: timestamp.Of(s.report.At)}
	const q = `INSERT INTO report_comments (id, report_id, author_id, client_id, content, is_official) VALUES ($1, $2, $3, $4, $5, $6)`
	tx.Queue(q, c.ID, c.ReportID, s.author.ID, clientID, content, s.author.IsOfficial)
	tx.Queue(`UPDATE reports SET comments_count = comments_count + 1 WHERE id = $1`, c.ReportID)
	if s.author.IsOfficial {
		if err := auditOfficial(ctx, tx, c); err != nil {
			return Comment{}, err
		}
	}
	return c, s.tell(ctx, tx, c)
}

// excerpt is how many characters of a comment a notification carries.
const excerpt = 140

// tell notifies the report's people, except whoever wrote it.
func (s *surroundings) tell(ctx context.Context, tx *outbox.Tx, c Comment) error {
	author, content := s.author.FullName, c.Content
	if s.report.IsAnonymous && s.report.UserID != nil && *s.report.UserID == s.author.ID {
		author = "—" // followers of an anonymous report must not learn its author this way
	}
	if runes := []rune(content); len(runes) > excerpt {
		content = string(runes[:excerpt]) + "…"
	}
	return s.report.Tell(ctx, tx, notification.CommentAdded, "comment:"+c.ID.String(), map[string]string{
		notification.ParamReportNumber: s.report.Number, "author": author, "comment": content}, s.author.ID)
}

const commentColumns = `c.id, c.report_id, c.content, c.created_at, c.is_official, u.id, u.full_name, u.role,
	r.is_anonymous AND r.user_id = c.author_id
	FROM report_comments c JOIN reports r ON r.id = c.report_id
	LEFT JOIN users u ON u.id = c.author_id AND u.deleted_at IS NULL`

func scan(row pgx.CollectableRow, v reportread.Viewer) (Comment, error) {
	var (
		c        Comment
		official bool
		author   *uuid.UUID
		fullName *string
		role     *identity.Role
		hidden   bool
		at       time.Time
	)
	if err := row.Scan(&c.ID, &c.ReportID, &c.Content, &at, &official, &author, &fullName, &role, &hidden); err != nil {
		return Comment{}, err
	}
	c.CreatedAt = timestamp.Of(at)
	if author != nil && (!hidden || v.KnowsAuthor(author)) {
		c.Author = &Author{ID: *author, FullName: *fullName, Role: *role, IsOfficial: official}
	}
	return c, nil
}

type commentsInput struct {
	RefInput
	page.Query
}

type commentsOutput struct{ Body page.Envelope[Comment] }

func (g *Group) comments(ctx context.Context, in *commentsInput) (*commentsOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	v := reportread.ViewerOf(identity.Must(ctx))
	const (
		list = `SELECT ` + commentColumns + ` WHERE c.deleted_at IS NULL AND c.report_id = ` + report.IDSQL + `
			ORDER BY c.created_at, c.id LIMIT $3 OFFSET $4`
		count = `SELECT count(*) FROM report_comments WHERE deleted_at IS NULL AND report_id = ` + report.IDSQL
	)
	batch := &database.Batch{}
	v.MayRead(batch, about)
	items := database.AskRows(batch, func(row pgx.CollectableRow) (Comment, error) { return scan(row, v) },
		list, about.Args(in.Limit(), in.Offset())...)
	total := database.AskRow(batch, pgx.RowTo[int], count, about.Args()...)
	if err := batch.Send(ctx, g.db); err != nil {
		return nil, fmt.Errorf("list comments: %w", err)
	}
	return &commentsOutput{Body: page.NewEnvelope(in.Query, items.Get(), total.Get())}, nil
}

type removeInput struct {
	RefInput
	CommentID string `path:"c_id" format:"uuid"`
}

type messageOutput struct {
	Body struct {
		Message string `json:"message"`
	}
}

var errNoComment = problem.New(problem.NotFound, "comment_not_found")

func (g *Group) removeComment(ctx context.Context, in *removeInput) (*messageOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	caller := identity.Must(ctx)
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		reportread.ViewerOf(caller).MayRead(tx, about)
		const q = `SELECT author_id, report_id FROM report_comments WHERE id = $3 AND deleted_at IS NULL AND report_id = ` + report.IDSQL + ` FOR UPDATE`
		type place struct {
			Author *uuid.UUID
			Report uuid.UUID
		}
		locked := database.AskRow(tx, pgx.RowToStructByPos[place], q, about.Args(in.CommentID)...).Missing(errNoComment)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock comment: %w", err)
		}
		author, of := locked.Get().Author, locked.Get().Report
		mine := author != nil && *author == caller.UserID
		if !mine && caller.Role != identity.Moderator && caller.Role != identity.Admin {
			return problem.New(problem.Forbidden, "forbidden")
		}
		if !mine {
			if err := auditRemoval(ctx, tx, in.CommentID, of); err != nil {
				return err
			}
		}
		tx.Queue(`UPDATE report_comments SET deleted_at = now() WHERE id = $1`, in.CommentID)
		tx.Queue(`UPDATE reports SET comments_count = greatest(0, comments_count - 1) WHERE id = $1`, of)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &messageOutput{}
	out.Body.Message = locale.TextFor(ctx, "message.comment_removed")
	return out, nil
}
