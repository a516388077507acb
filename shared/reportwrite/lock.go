package reportwrite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// Held is a report whose row the transaction has locked: nobody else changes it
// until the transaction ends. Its fields are what the transaction has made of it so far: whoever changes the report
// changes them too, and events vouch for what they say.
type Held struct {
	ID             uuid.UUID
	Number         string
	UserID         *uuid.UUID // nil once the author is erased
	IssueType      report.IssueType
	IssueTypeRaw   string
	Severity       report.Severity
	Status         report.Status
	AIStatus       report.AIStatus // when it was locked
	AssignedAgency *uuid.UUID
	DuplicateOf    *uuid.UUID
	IsAnonymous    bool
	Appealed       bool
	Title          string
	Description    string
	Version        int
	// At is the time of the transaction, which is what now() says in it.
	At time.Time

	followers     []uuid.UUID // besides the author
	original      *Held       // that it is to become a duplicate of
	hasDuplicates bool
	chain         *ledger.Chain // nil where no event is to come
}

const heldColumns = `id, report_number, user_id, issue_type, coalesce(issue_type_raw, ''), severity, status, ai_status, assigned_agency_id,
	duplicate_of, is_anonymous, appealed_at IS NOT NULL, title, description, version, now()`

func (h *Held) scan(row pgx.Row) error {
	return row.Scan(&h.ID, &h.Number, &h.UserID, &h.IssueType, &h.IssueTypeRaw, &h.Severity, &h.Status, &h.AIStatus, &h.AssignedAgency,
		&h.DuplicateOf, &h.IsAnonymous, &h.Appealed, &h.Title, &h.Description, &h.Version, &h.At)
}

// QueueHold locks a report until the transaction ends, and reads who follows it, among other statements: the batch
// fails with report.ErrNotFound when there is no such report or it was withdrawn. Questions that come after it in the batch
// see what the holder of the lock before has committed.
func QueueHold(b *pgx.Batch, a report.About) *Held {
	h := &Held{}
	a.Queue(b, `SELECT `+heldColumns+` FROM reports WHERE id = $1 AND deleted_at IS NULL FOR UPDATE`).QueryRow(func(row pgx.Row) error {
		err := h.scan(row)
		if errors.Is(err, pgx.ErrNoRows) {
			return report.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("lock report: %w", err)
		}
		return nil
	})
	h.queueFollowers(b, a)
	return h
}

// QueueChange is QueueHold for a change that by makes and that the ledger is to know of.
func QueueChange(b *pgx.Batch, a report.About, by report.Actor) *Held {
	h := QueueHold(b, a)
	h.chain = ledger.QueueChain(b, a, by.AgencyID)
	return h
}

func (h *Held) queueFollowers(b *pgx.Batch, a report.About) {
	a.Queue(b, `SELECT user_id FROM report_followers WHERE report_id = $1 `).Query(func(rows pgx.Rows) error {
		var err error
		if h.followers, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID]); err != nil {
			return fmt.Errorf("find who to tell: %w", err)
		}
		return nil
	})
}

// queuePair locks two reports, always in the order of their ids, so that two
// transactions that want the same ones never wait for each other in a circle. One that is not there, or was withdrawn,
// is nil; so is what is no duplicate of anything.
func queuePair(b *pgx.Batch, of, original report.About) *Held {
	h := &Held{}
	q := `SELECT ` + heldColumns + ` FROM reports WHERE (id = ` + of.SQL("$1") + ` OR id = ` + original.SQL("$2") + `) AND deleted_at IS NULL
		ORDER BY id FOR UPDATE`
	b.Queue(q, of.Arg(), original.Arg()).Query(func(rows pgx.Rows) error {
		all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Held, error) {
			var h Held
			err := h.scan(row)
			return h, err
		})
		if err != nil {
			return fmt.Errorf("lock reports: %w", err)
		}
		found := pick(all, of)
		if found == nil {
			return report.ErrNotFound
		}
		found.original, found.chain = pick(all, original), h.chain
		*h = *found
		return nil
	})
	const duplicates = `SELECT EXISTS (SELECT FROM reports WHERE duplicate_of = $1 AND deleted_at IS NULL)`
	of.Queue(b, duplicates).QueryRow(func(row pgx.Row) error { return row.Scan(&h.hasDuplicates) })
	h.queueFollowers(b, of)
	return h
}

// pick is the report that a names, nil where it is not among all.
func pick(all []Held, a report.About) *Held {
	i := slices.IndexFunc(all, func(h Held) bool { return a.Arg() == h.ID || a.Arg() == h.Number })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// Reread reads what the ledger is to know of a report anew, after a change that by made and that h does not know of: to
// its pictures, or where the database decided. It takes one round trip.
func (h *Held) Reread(ctx context.Context, w *outbox.Work, by report.Actor) error {
	b := &pgx.Batch{}
	h.chain = ledger.QueueChain(b, report.AboutID(h.ID), by.AgencyID)
	if err := w.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("read report again: %w", err)
	}
	s := h.chain.State
	h.IssueType, h.IssueTypeRaw, h.Severity, h.Status = report.IssueType(s.IssueType), s.IssueTypeRaw, report.Severity(s.Severity), report.Status(s.Status)
	h.Title, h.Description = s.Title, s.Description
	return nil
}

// Event appends to the report's ledger events what actor caused. Call it after the change.
func (h *Held) Event(ctx context.Context, w *outbox.Work, e ledger.Event, actor report.Actor) error {
	if h.chain == nil {
		return fmt.Errorf("append %s: the report is held without its chain", e.Type)
	}
	h.chain.State = ledger.State{IssueType: string(h.IssueType), IssueTypeRaw: h.IssueTypeRaw, Severity: string(h.Severity),
		Status: string(h.Status), Title: h.Title, Description: h.Description}
	e.Actor = ledger.Actor{Kind: string(actor.Kind), AgencyID: actor.AgencyID}
	_, err := h.chain.Append(ctx, w, e)
	return err
}

// VisibleTo is nil for whoever may see the report, report.ErrNotFound for others.
func (h *Held) VisibleTo(v reportread.Viewer) error {
	if h.Status == report.Rejected && !v.KnowsAuthor(h.UserID) {
		return report.ErrNotFound
	}
	return nil
}

// Expect is which version of a report a change was meant for; the zero value is any.
type Expect struct {
	// Match checks the present version against an If-Match header and fails with 412 for another; nil for no header.
	Match func(version int) error
	// Version is the expected_version of a body. Another present version fails with 409; nil accepts any.
	Version *int
}

// Check holds e against the present version.
func (e Expect) Check(h *Held) error {
	if e.Match != nil {
		if err := e.Match(h.Version); err != nil {
			return withVersion(err, h.Version)
		}
	}
	if e.Version != nil && *e.Version != h.Version {
		return problem.New(problem.Conflict, "stale").With("version", h.Version)
	}
	return nil
}

// withVersion adds the present version to what the client is told.
func withVersion(err error, version int) error {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.With("version", version)
	}
	return err
}
