// Package comment reads the comments of reports, as those see them who may, and adds new ones.
package comment

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/warning"
)

// Comment is one comment on a report.
type Comment struct {
	ID       uuid.UUID `json:"id"`
	ReportID uuid.UUID `json:"report_id"`
	Author   *Author   `json:"author" doc:"null if the account was deleted, and for the reporter of an anonymous report"`
	Content  string    `json:"content" doc:"Empty with content_hidden, except for the author and staff"`
	// ContentHidden is true while a moderator or flags hide it.
	ContentHidden bool           `json:"content_hidden,omitempty" doc:"true while a moderator, or the flags of several people, keep the words from others than the author and staff"`
	CreatedAt     timestamp.Time `json:"created_at"`
	// Receipt is set in the answer to the request that added the comment.
	Receipt *ledger.Receipt `json:"receipt,omitempty" doc:"In the answer to the request that added the comment, and to its repeats: with the salt of the comment"`
	// Warnings is set in the answer to a request that sent something which was not kept.
	Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the request was not kept; left out if everything was"`
}

// Author is the author of a comment: a person, or another system that sent it over Open311.
type Author struct {
	_          struct{}      `schema:"CommentAuthor"`
	ID         uuid.UUID     `json:"id" doc:"Of a person. Of a comment that another system sent over Open311, that of its API key: no account has this id"`
	FullName   string        `json:"full_name" doc:"Of a comment that another system sent over Open311, the name of that system"`
	Role       identity.Role `json:"role" enum:"citizen,moderator,government_official,admin"`
	IsOfficial bool          `json:"is_official" doc:"true if the author was staff when they wrote it, and did not report the problem"`
}

const columns = `SELECT c.id, c.report_id, c.content, c.created_at, c.is_official, coalesce(u.id, k.id), coalesce(u.full_name, k.name), coalesce(u.role, CASE WHEN k.id IS NOT NULL THEN 'citizen' END),
	coalesce(r.is_anonymous AND r.user_id = c.author_id, false), c.hidden IS NOT NULL, c.author_id
	FROM report_comments c JOIN reports r ON r.id = c.report_id
	LEFT JOIN users u ON u.id = c.author_id AND u.deleted_at IS NULL LEFT JOIN api_keys k ON k.id = c.api_key_id WHERE `

// scan reads a row of columns as v may see it.
func scan(v reportread.Viewer) pgx.RowToFunc[Comment] {
	return func(row pgx.CollectableRow) (Comment, error) {
		var (
			c        Comment
			official bool
			author   *uuid.UUID
			fullName *string
			role     *identity.Role
			hidden   bool
			at       time.Time
			writer   *uuid.UUID
		)
		if err := row.Scan(&c.ID, &c.ReportID, &c.Content, &at, &official, &author, &fullName, &role, &hidden, &c.ContentHidden, &writer); err != nil {
			return Comment{}, err
		}
		c.CreatedAt = timestamp.Of(at)
		if author != nil && (!hidden || v.SeesAnonymous(author)) {
			c.Author = &Author{ID: *author, FullName: *fullName, Role: *role, IsOfficial: official}
		}
		if c.ContentHidden && !v.KnowsAuthor(writer) {
			c.Content = ""
		}
		return c, nil
	}
}

// Ask reads one comment as v may see it.
func Ask(p database.Pipeline, v reportread.Viewer, id uuid.UUID) *database.Ask[Comment] {
	return database.AskRow(p, scan(v), columns+`c.id = $1`, id)
}

// AskRepeat reads the comment that a person wrote under a client_id; nil where there is none, and for a nil clientID.
func AskRepeat(p database.Pipeline, v reportread.Viewer, author uuid.UUID, clientID *string) *database.Ask[*Comment] {
	return database.AskOptional(p, scan(v), columns+`c.author_id = $1 AND c.client_id = $2`, author, clientID)
}

// AskList reads a page of the comments on a report, oldest first. It does not look whether v may read the report, nor whether
// its comments are kept back until a verdict: see Viewer.MayRead.
func AskList(p database.Pipeline, v reportread.Viewer, about report.About, limit, offset int) *database.Ask[[]Comment] {
	const q = columns + `c.deleted_at IS NULL AND c.report_id = ` + report.IDSQL + ` ORDER BY c.created_at, c.id LIMIT $3 OFFSET $4`
	return database.AskRows(p, scan(v), q, about.Args(limit, offset)...)
}

// AskCount counts the comments on a report.
func AskCount(p database.Pipeline, about report.About) *database.Ask[int] {
	const q = `SELECT count(*) FROM report_comments WHERE deleted_at IS NULL AND report_id = ` + report.IDSQL
	return database.AskRow(p, pgx.RowTo[int], q, about.Args()...)
}
