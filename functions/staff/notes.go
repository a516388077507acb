package staff

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (g *Group) registerNotes(api *httpapi.API) {
	op := func(method, summary string) httpapi.Operation {
		return httpapi.Operation{
			Operation: huma.Operation{Method: method, Path: "/api/v1/reports/{id}/notes", Tags: []string{name}, Summary: summary,
				Description: "For staff only. Notes are never shown to the reporter or the public."},
			Roles: identity.Staff(),
		}
	}
	add := op(http.MethodPost, "Add a note for other staff to a report")
	add.DefaultStatus, add.Creates, add.Aliases = http.StatusCreated, true, map[string]string{"note": "content", "text": "content"}
	httpapi.Register(api, add.WithProblems(report.Problems()...).WithProblems(reportwrite.ErrNotYourAgency), g.addNote)
	httpapi.Register(api, op(http.MethodGet, "List the notes of staff on a report, oldest first").WithProblems(report.Problems()...), g.listNotes)
}

// Note is a note on a report that only staff can read.
type Note struct {
	ID        uuid.UUID      `json:"id"`
	ReportID  uuid.UUID      `json:"report_id"`
	Author    *NoteAuthor    `json:"author"` // nil if the account was deleted
	Content   string         `json:"content"`
	CreatedAt timestamp.Time `json:"created_at"`
}

// NoteAuthor is the author of a note.
type NoteAuthor struct {
	ID       uuid.UUID     `json:"id"`
	FullName string        `json:"full_name"`
	Role     identity.Role `json:"role" enum:"citizen,moderator,government_official,admin"`
}

type addNoteInput struct {
	report.RefInput
	Body struct {
		_       struct{} `schema:"NoteCreate"`
		Content string   `json:"content" minLength:"1" maxLength:"2000" doc:"Aliases: note, text"`
	}
}

type noteOutput struct{ Body Note }

func (g *Group) addNote(ctx context.Context, in *addNoteInput) (*noteOutput, error) {
	content := strings.TrimSpace(database.Text(in.Body.Content))
	if content == "" {
		return nil, problem.InvalidField("content", "is empty")
	}
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	out := &noteOutput{}
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		by := report.ActorOf(identity.Must(ctx))
		locked := reportwrite.LockForChange(tx, about, by)
		person := database.AskRow(tx, pgx.RowToStructByPos[NoteAuthor], `SELECT id, full_name, role FROM users WHERE id = $1`, identity.Must(ctx).UserID)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock report for note: %w", err)
		}
		h, author := locked.Get(), person.Get()
		if err := h.WorkableBy(by); err != nil {
			return err
		}
		out.Body = Note{ID: database.NewID(), ReportID: h.ID, Author: &author, Content: content, CreatedAt: timestamp.Of(h.At)}
		const q = `INSERT INTO report_notes (id, report_id, author_id, content) VALUES ($1, $2, $3, $4)`
		tx.Queue(q, out.Body.ID, h.ID, author.ID, content)
		err := audit.Record(ctx, tx, audit.Entry{Action: "report.note", Entity: "report", EntityID: h.ID.String(), After: map[string]any{"note_id": out.Body.ID}})
		if err != nil {
			return err
		}
		return httpapi.RecordAnswer(ctx, tx, http.StatusCreated, out.Body)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

const noteQuery = `SELECT n.id, n.report_id, n.content, n.created_at, u.id, u.full_name, u.role
	FROM report_notes n LEFT JOIN users u ON u.id = n.author_id AND u.deleted_at IS NULL`

// maxNotes is how many notes are listed.
const maxNotes = 500

func scanNote(row pgx.CollectableRow) (Note, error) {
	var n Note
	var at time.Time
	var author *uuid.UUID
	var fullName *string
	var role *identity.Role
	if err := row.Scan(&n.ID, &n.ReportID, &n.Content, &at, &author, &fullName, &role); err != nil {
		return Note{}, err
	}
	n.CreatedAt = timestamp.Of(at)
	if author != nil {
		n.Author = &NoteAuthor{ID: *author, FullName: *fullName, Role: *role}
	}
	return n, nil
}

type notesOutput struct{ Body []Note }

func (g *Group) listNotes(ctx context.Context, in *report.RefInput) (*notesOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	batch := &database.Batch{}
	reportread.ViewerOf(identity.Must(ctx)).MayRead(batch, about)
	all := database.AskRows(batch, scanNote, noteQuery+` WHERE n.report_id = `+report.IDSQL+` ORDER BY n.created_at, n.id LIMIT $3`, about.Args(maxNotes)...)
	if err := batch.Send(ctx, g.db); err != nil {
		return nil, fmt.Errorf("list notes: %w", err)
	}
	return &notesOutput{Body: all.Get()}, nil
}
