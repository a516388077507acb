package staff

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// maxTemplates is how many templates there may be at a time.
const maxTemplates = 200

func (g *Group) registerTemplates(api *httpapi.API) {
	op := func(method, path, summary, description string) httpapi.Operation {
		return httpapi.Operation{
			Operation: huma.Operation{Method: method, Path: "/api/v1/staff/templates" + path, Tags: []string{name}, Summary: summary, Description: description},
			Roles:     identity.Staff(),
		}
	}
	list := op(http.MethodGet, "", "List the templates of notes", "By title. With status or issue_type: those for it, and those for all.")
	list.Aliases = page.Aliases()
	httpapi.Register(api, list, g.listTemplates)
	create := op(http.MethodPost, "", "Add a template", "A text that staff send often, as a note of a change of status. Nothing in it is replaced. There are at most 200.")
	create.DefaultStatus, create.Creates = http.StatusCreated, true
	httpapi.Register(api, create.WithProblems(errTemplateLimit), g.createTemplate)
	change := op(http.MethodPatch, "/{id}", "Change a template", "What is absent stays as it is. An empty status or issue_type makes it one for all.")
	httpapi.Register(api, change.WithProblems(errTemplateNotFound), g.changeTemplate)
	httpapi.Register(api, op(http.MethodDelete, "/{id}", "Remove a template", "What was written with it stays.").WithProblems(errTemplateNotFound), g.removeTemplate)
}

// Template is a text that staff send often, in three languages.
type Template struct {
	ID        uuid.UUID         `json:"id"`
	Title     string            `json:"title" doc:"For staff" example:"Repair is planned"`
	Status    *report.Status    `json:"status" doc:"The move that it is for; null for all"`
	IssueType *report.IssueType `json:"issue_type" doc:"The type of report that it is for; null for all"`
	Body      TemplateBody      `json:"body"`
	CreatedAt timestamp.Time    `json:"created_at"`
	UpdatedAt timestamp.Time    `json:"updated_at"`
}

// TemplateBody is the text of a template by language; empty where there is none.
type TemplateBody struct {
	_   struct{} `schema:"TemplateTexts"`
	Tet string   `json:"tet"`
	Pt  string   `json:"pt"`
	En  string   `json:"en"`
}

const templateColumns = `id, title, status, issue_type, body_tet, body_pt, body_en, created_at, updated_at`

func scanTemplate(row pgx.CollectableRow) (Template, error) {
	var t Template
	err := row.Scan(&t.ID, &t.Title, &t.Status, &t.IssueType, &t.Body.Tet, &t.Body.Pt, &t.Body.En, &t.CreatedAt.Time, &t.UpdatedAt.Time)
	return t, err
}

type templateRequest struct {
	_         struct{} `schema:"TemplateWrite"`
	Title     *string  `json:"title,omitempty" maxLength:"100" example:"Repair is planned"`
	Status    *string  `json:"status,omitempty" doc:"The move that it is for; empty for all" example:"in_progress"`
	IssueType *string  `json:"issue_type,omitempty" doc:"The type of report that it is for; empty for all" example:"pothole"`
	Body      *struct {
		_   struct{} `schema:"TemplateTextsWrite"`
		Tet *string  `json:"tet,omitempty" maxLength:"2000" doc:"Tetum" example:"Ekipa sei ba iha semana ne'e."`
		Pt  *string  `json:"pt,omitempty" maxLength:"2000" doc:"Portuguese"`
		En  *string  `json:"en,omitempty" maxLength:"2000" doc:"English"`
	} `json:"body,omitempty" doc:"The text, in one language at least"`
}

// onto writes what was sent onto a template, which must then be whole.
func (r templateRequest) onto(t *Template) error {
	set := func(to, from *string) {
		if from != nil {
			*to = strings.TrimSpace(database.Text(*from))
		}
	}
	set(&t.Title, r.Title)
	if r.Body != nil {
		set(&t.Body.Tet, r.Body.Tet)
		set(&t.Body.Pt, r.Body.Pt)
		set(&t.Body.En, r.Body.En)
	}
	var err error
	if t.Status, err = wordOr(t.Status, r.Status, "status", report.ParseStatus); err != nil {
		return err
	}
	if t.IssueType, err = wordOr(t.IssueType, r.IssueType, "issue_type", report.ParseIssueType); err != nil {
		return err
	}
	switch {
	case t.Title == "":
		return problem.InvalidField("title", "expected 1 to 100 characters")
	case t.Body == TemplateBody{}:
		return problem.InvalidField("body", "expected a text in one language at least")
	}
	return nil
}

// wordOr reads a word of a list. An absent word is was, an empty one nil.
func wordOr[T ~string](was *T, sent *string, field string, read func(string) (T, bool)) (*T, error) {
	if sent == nil {
		return was, nil
	}
	if strings.TrimSpace(*sent) == "" {
		return nil, nil
	}
	word, ok := read(*sent)
	if !ok {
		return nil, problem.InvalidField(field, "holds a word that is not in the list of values")
	}
	return &word, nil
}

type templatesInput struct {
	page.Query
	Status    string `query:"status" example:"in_progress"`
	IssueType string `query:"issue_type" example:"pothole"`
}

type templatesOutput struct{ Body page.Envelope[Template] }

func (g *Group) listTemplates(ctx context.Context, in *templatesInput) (*templatesOutput, error) {
	status, err := wordOr(nil, &in.Status, "status", report.ParseStatus)
	if err != nil {
		return nil, err
	}
	issueType, err := wordOr(nil, &in.IssueType, "issue_type", report.ParseIssueType)
	if err != nil {
		return nil, err
	}
	const found = ` FROM staff_templates WHERE deleted_at IS NULL AND ($1::text IS NULL OR coalesce(status, $1) = $1) AND ($2::text IS NULL OR coalesce(issue_type, $2) = $2)`
	items, total, err := database.Page(ctx, g.db, `SELECT count(*)`+found, `SELECT `+templateColumns+found+` ORDER BY lower(title), id LIMIT $3 OFFSET $4`, 2, scanTemplate,
		status, issueType, in.Limit(), in.Offset())
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	return &templatesOutput{Body: page.NewEnvelope(in.Query, items, total)}, nil
}
