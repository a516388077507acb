package comment

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Target is a locked report to which a comment may be added.
type Target struct {
	Report *reportwrite.Locked
	// Hidden is report.HiddenSQL: others than the reporter and staff do not see its words yet.
	Hidden bool
	chain  *ledger.Chain
}

// Lock locks a report for a comment by an actor of an agency; nil for none. The pipeline fails as reportwrite.Lock does. The chain is
// read together with the lock, because a comment does not change the state of the report that its event records.
func Lock(p database.Pipeline, about report.About, agency *uuid.UUID) *database.Ask[Target] {
	locked, chain := reportwrite.Lock(p, about), ledger.AskChain(p, about, agency)
	hidden := database.AskRow(p, pgx.RowTo[bool], `SELECT `+report.HiddenSQL+` FROM reports r WHERE r.id = `+report.IDSQL, about.Args()...)
	return database.Derive(func() Target { return Target{Report: locked.Get(), Hidden: hidden.Get(), chain: chain.Get()} })
}

// New is a comment that is to be added.
type New struct {
	Author   Author
	By       report.Actor
	Content  string
	ClientID *string // of requests that repeat each other
	OfKey    bool    // the author is an API key, not a person
}

// columns are the values of author_id and api_key_id.
func (n New) columns() (*uuid.UUID, *uuid.UUID) {
	if n.OfKey {
		return nil, &n.Author.ID
	}
	return &n.Author.ID, nil
}

// Add adds a comment with its event, and notifies the reporter and the followers, except its author; while the report is Hidden
// its reporter alone. The statements run with the commit of tx. Version and updated_at of the report stay.
func (t Target) Add(ctx context.Context, tx *outbox.Tx, n New) (Comment, *ledger.NewEntry, error) {
	c := Comment{ID: database.NewID(), ReportID: t.Report.ID, Author: &n.Author, Content: n.Content, CreatedAt: timestamp.Of(t.Report.At)}
	entry, err := t.chain.Append(ctx, tx, ledger.Event{Type: ledger.Commented, At: t.Report.At,
		Actor:   ledger.Actor{Kind: string(n.By.Kind), AgencyID: n.By.AgencyID},
		Comment: &ledger.Comment{ID: c.ID, Author: n.Author.ID, Content: n.Content}})
	if err != nil {
		return Comment{}, nil, err
	}
	c.Receipt = ledger.Mark(t.Report.Number, entry.Seq)
	person, key := n.columns()
	const q = `INSERT INTO report_comments (id, report_id, author_id, api_key_id, client_id, content, is_official, seq) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	tx.Queue(q, c.ID, c.ReportID, person, key, n.ClientID, n.Content, n.Author.IsOfficial, entry.Seq)
	tx.Queue(`UPDATE reports SET comments_count = comments_count + 1 WHERE id = $1`, c.ReportID)
	notice := reportwrite.CommentNotice{ID: c.ID, Author: n.Author.ID, Name: n.Author.FullName, Content: n.Content}
	if t.Hidden {
		return c, entry, t.Report.TellReporterComment(ctx, tx, notice)
	}
	return c, entry, t.Report.TellComment(ctx, tx, notice)
}
