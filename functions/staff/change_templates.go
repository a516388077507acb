package staff

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

type createTemplateInput struct{ Body templateRequest }

type templateOutput struct{ Body Template }

func (g *Group) createTemplate(ctx context.Context, in *createTemplateInput) (*templateOutput, error) {
	t := Template{ID: database.NewID()}
	if err := in.Body.onto(&t); err != nil {
		return nil, err
	}
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		tx.Queue(`SELECT pg_advisory_xact_lock(hashtext('staff_templates'))`) // two at once could pass the limit
		const insert = `INSERT INTO staff_templates (id, title, status, issue_type, body_tet, body_pt, body_en, created_by)
			SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE (SELECT count(*) FROM staff_templates WHERE deleted_at IS NULL) < $9 RETURNING ` + templateColumns
		stored := database.AskRow(tx, scanTemplate, insert, t.ID, t.Title, t.Status, t.IssueType, t.Body.Tet, t.Body.Pt, t.Body.En, identity.Must(ctx).UserID, maxTemplates).
			Missing(errTemplateLimit)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("store template: %w", err)
		}
		t = stored.Get()
		if err := recordTemplate(ctx, tx, "template.create", nil, &t); err != nil {
			return err
		}
		return httpapi.RecordAnswer(ctx, tx, http.StatusCreated, t)
	})
	if err != nil {
		return nil, err
	}
	return &templateOutput{Body: t}, nil
}

type templatePath struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

type changeTemplateInput struct {
	ID   uuid.UUID `path:"id" format:"uuid"`
	Body templateRequest
}

// lockTemplate locks a template in a pipeline, which fails with a 404 for one that is not there.
func lockTemplate(p database.Pipeline, id uuid.UUID) *database.Ask[Template] {
	const q = `SELECT ` + templateColumns + ` FROM staff_templates WHERE id = $1 AND deleted_at IS NULL FOR UPDATE`
	return database.AskRow(p, scanTemplate, q, id).Missing(errTemplateNotFound)
}

func (g *Group) changeTemplate(ctx context.Context, in *changeTemplateInput) (*templateOutput, error) {
	out := &templateOutput{}
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		before, now := lockTemplate(tx, in.ID), database.AskRow(tx, pgx.RowTo[time.Time], `SELECT now()`)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock template: %w", err)
		}
		was := before.Get()
		t := was
		if err := in.Body.onto(&t); err != nil {
			return err
		}
		if out.Body = t; sameTemplate(was, t) {
			return nil // nothing changes, and nothing is in the audit log
		}
		out.Body.UpdatedAt = timestamp.Of(now.Get())
		const update = `UPDATE staff_templates SET title = $2, status = $3, issue_type = $4, body_tet = $5, body_pt = $6, body_en = $7, updated_at = now() WHERE id = $1`
		tx.Queue(update, t.ID, t.Title, t.Status, t.IssueType, t.Body.Tet, t.Body.Pt, t.Body.En)
		return recordTemplate(ctx, tx, "template.change", &was, &out.Body)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func sameTemplate(a, b Template) bool {
	same := func(a, b *string) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }
	return a.Title == b.Title && a.Body == b.Body && same((*string)(a.Status), (*string)(b.Status)) && same((*string)(a.IssueType), (*string)(b.IssueType))
}

func (g *Group) removeTemplate(ctx context.Context, in *templatePath) (*httpapi.MessageOutput, error) {
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		before := lockTemplate(tx, in.ID)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock template: %w", err)
		}
		tx.Queue(`UPDATE staff_templates SET deleted_at = now() WHERE id = $1`, in.ID)
		was := before.Get()
		return recordTemplate(ctx, tx, "template.remove", &was, nil)
	})
	if err != nil {
		return nil, err
	}
	return httpapi.Message(ctx, "message.template_removed"), nil
}

// recordTemplate writes a change of a template to the audit log; nil is what was not there before, or is gone.
func recordTemplate(ctx context.Context, tx *outbox.Tx, action string, before, after *Template) error {
	e := audit.Entry{Action: action, Entity: "template"}
	if before != nil {
		e.EntityID, e.Before = before.ID.String(), before
	}
	if after != nil {
		e.EntityID, e.After = after.ID.String(), after
	}
	return audit.Record(ctx, tx, e)
}
