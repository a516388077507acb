package reportwrite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// Locked is a report whose row the transaction has locked: nobody else changes it until the transaction ends. Its fields
// are the state of the report within the transaction. Code that changes the row changes the fields too.
type Locked struct {
	ID             uuid.UUID
	Number         string
	UserID         *uuid.UUID // nil once the author is erased
	IssueType      report.IssueType
	IssueTypeRaw   string
	Severity       report.Severity
	Status         report.Status
	AIStatus       report.AIStatus // when it was locked
	AssignedAgency *uuid.UUID
	AssignedUser   *uuid.UUID
	DueAt          *time.Time
	DuplicateOf    *uuid.UUID
	IsAnonymous    bool
	Appealed       bool
	Title          string
	Description    string
	Address        reportread.Address
	Version        int
	WordsHidden    report.HiddenBy // "" while others see the words
	Moderated      bool            // flags hide nothing of it before its content changes: see reports.moderated_at
	Flags          int             // that are open, of the report and of its comments
	// At is the time of the transaction, which is what now() says in it.
	At time.Time

	pausedAt      *time.Time // since when the deadline waits: handed back, and not assigned again
	placed        bool       // the municipality is known, or was looked for
	plan          *plan      // what an assignment needs; nil where the caller only locked the report
	followers     []follower // besides the author
	taker         *Agency    // that of the official that it was locked for, where the report is at its place and of its kinds
	original      *Locked    // for a move to Duplicate
	distance      *float64   // metres to original; nil where nobody asked
	removed       *report.Tombstone
	hasDuplicates bool
	proof         proof              // of the repair; read for who may mark the report as fixed
	versionNamed  bool               // the client named the present version, so its person has seen it
	seq           int                // of the newest ledger event
	erased        bool               // see Erased
	changed       bool               // the transaction has an event of the report
	entry         *ledger.NewEntry   // see LastEntry
	told          *queue.StaffNotice // see Told

	picturesShown   bool // it has a picture that nobody has hidden
	picturesFlagged bool // it has one that flags have hidden
	flagged         openFlags
}

// openFlags are the open flags of a report that count, without those of its comments.
type openFlags struct {
	People int
	Reason *report.ReasonCode // of the newest
}

// ReportedBy reports whether c is the reporter.
func (h *Locked) ReportedBy(c identity.Caller) bool { return h.UserID != nil && *h.UserID == c.UserID }

// HasDuplicateOf reports whether the person made a report that is a duplicate of this one.
func (h *Locked) HasDuplicateOf(person uuid.UUID) bool {
	return slices.ContainsFunc(h.followers, func(f follower) bool { return f.User == person })
}

// Erased reports whether the words went with the reporter's account. Nobody may write words or an address to it again.
func (h *Locked) Erased() bool { return h.erased }

const lockedColumns = `id, report_number, user_id, issue_type, coalesce(issue_type_raw, ''), severity, status, ai_status, assigned_agency_id,
	duplicate_of, is_anonymous, appealed_at IS NOT NULL, title, description, address, street, suco, district, municipality, version, now(),
	coalesce(words_hidden, ''), moderated_at IS NOT NULL, flags_count, ` + report.AssigneeSQL + ` AS assignee, due_at, due_paused_at, municipality_code IS NOT NULL OR geocoded_at IS NOT NULL, ` + report.TombstoneSQL

func scanLocked(row pgx.CollectableRow) (Locked, error) {
	var h Locked
	err := row.Scan(&h.ID, &h.Number, &h.UserID, &h.IssueType, &h.IssueTypeRaw, &h.Severity, &h.Status, &h.AIStatus, &h.AssignedAgency,
		&h.DuplicateOf, &h.IsAnonymous, &h.Appealed, &h.Title, &h.Description, &h.Address.Address, &h.Address.Street,
		&h.Address.Suco, &h.Address.District, &h.Address.Municipality, &h.Version, &h.At,
		&h.WordsHidden, &h.Moderated, &h.Flags, &h.AssignedUser, &h.DueAt, &h.pausedAt, &h.placed, &h.removed)
	return h, err
}

// Lock locks a report until the transaction ends, and reads who follows it. The pipeline fails with report.ErrNotFound when
// there is no such report, and with the 410 of its tombstone when it was withdrawn or removed. Later statements see what the transaction that
// had the lock before has committed.
func Lock(p database.Pipeline, a report.About) *database.Ask[*Locked] {
	const q = `SELECT ` + lockedColumns + ` FROM reports r WHERE id = ` + report.IDSQL + ` FOR NO KEY UPDATE`
	row := database.AskRow(p, scanLocked, q, a.Args()...).Missing(report.ErrNotFound).Check(func(h Locked) error { return h.changeable() })
	followers, end := askFollowers(p, a), askEnd(p, a)
	return database.Derive(func() *Locked {
		h := row.Get()
		h.followers = followers.Get()
		end.Get().put(&h)
		return &h
	})
}

// LockForChange is Lock for a change by an actor. It also reads whether the agency of an official may take the report, what
// shows that it is repaired, and what an assignment needs.
func LockForChange(p database.Pipeline, a report.About, by report.Actor) *database.Ask[*Locked] {
	return forActor(p, a, by, Lock(p, a))
}

// forActor adds to a locked report whether the agency of an official may take it, what shows that it is repaired, and what an
// assignment needs.
func forActor(p database.Pipeline, a report.About, by report.Actor, locked *database.Ask[*Locked]) *database.Ask[*Locked] {
	if by.Kind == report.ActorOfficial || by.Kind == report.ActorAdmin {
		locked = withProof(p, a, locked)
	}
	locked = withPlan(p, a, locked)
	if by.Kind != report.ActorOfficial {
		return locked
	}
	const q = `SELECT ` + AgencyColumns + ` FROM agencies g, ` + oneReport + ` WHERE g.id = $3 AND ` + report.AgencyCovers
	taker := database.AskOptional(p, ScanAgency, q, a.Args(by.AgencyID)...)
	return database.Derive(func() *Locked {
		h := locked.Get()
		h.taker = taker.Get()
		return h
	})
}

// follower is somebody who is told of a report's progress because theirs is a duplicate of it.
type follower struct {
	User   uuid.UUID
	Via    uuid.UUID // their report
	Number string    // of Via
}

func askFollowers(p database.Pipeline, a report.About) *database.Ask[[]follower] {
	const q = `SELECT f.user_id, f.via_report, v.report_number FROM report_followers f JOIN reports v ON v.id = f.via_report WHERE f.report_id = ` + report.IDSQL
	return database.AskRows(p, pgx.RowToStructByPos[follower], q, a.Args()...)
}

// chainEnd is what a report that is locked has in the ledger, and which pictures it has.
type chainEnd struct {
	Seq                            int // of the newest event
	Erased                         bool
	PicturesShown, PicturesFlagged bool
	Flags                          int // see openFlags
	FlagReason                     *report.ReasonCode
}

func (e chainEnd) put(h *Locked) {
	h.seq, h.erased, h.picturesShown, h.picturesFlagged = e.Seq, e.Erased, e.PicturesShown, e.PicturesFlagged
	h.flagged = openFlags{e.Flags, e.FlagReason}
}

// askEnd reads it in a statement of its own, which sees what the transaction that had the lock before has committed.
func askEnd(p database.Pipeline, a report.About) *database.Ask[chainEnd] {
	const q = `SELECT coalesce((SELECT max(seq) FROM ledger_events WHERE report_id = r.id), 0), ` + report.ErasedSQL + `,
		EXISTS (SELECT FROM report_images i WHERE i.report_id = r.id AND i.deleted_at IS NULL AND i.hidden IS NULL),
		EXISTS (SELECT FROM report_images i WHERE i.report_id = r.id AND i.deleted_at IS NULL AND i.hidden = 'flags'),
		(SELECT count(*) FROM report_flags f WHERE f.report_id = r.id AND f.comment_id IS NULL AND f.settled_at IS NULL AND f.counted),
		(SELECT f.reason_code FROM report_flags f WHERE f.report_id = r.id AND f.comment_id IS NULL AND f.settled_at IS NULL AND f.counted
			ORDER BY f.created_at DESC LIMIT 1)
		FROM reports r WHERE r.id = ` + report.IDSQL
	return database.AskRow(p, pgx.RowToStructByPos[chainEnd], q, a.Args()...).Missing(report.ErrNotFound)
}

// lockPair is Lock of a report that is to become a duplicate of original. It locks both in the order of their ids, so
// that two transactions cannot deadlock. An original that does not exist, or was withdrawn, is nil.
func lockPair(p database.Pipeline, of, original report.About, by report.Actor) *database.Ask[*Locked] {
	const q = `SELECT ` + lockedColumns + ` FROM reports r
		WHERE (id = ` + report.IDSQL + ` OR id = report_id($3, $4))
		ORDER BY r.id FOR NO KEY UPDATE`
	both := database.AskRows(p, scanLocked, q, of.Args(original.Args()...)...).Check(func(all []Locked) error {
		h := pick(all, of)
		if h == nil {
			return report.ErrNotFound
		}
		return h.changeable()
	})
	const duplicates = `SELECT EXISTS (SELECT FROM reports WHERE deleted_at IS NULL AND duplicate_of = ` + report.IDSQL + `)`
	hasDuplicates := database.AskRow(p, pgx.RowTo[bool], duplicates, of.Args()...)
	followers, end := askFollowers(p, of), askEnd(p, of)
	distance := database.Derive(func() *float64 { return nil })
	if by.Kind == report.ActorOfficial { // nobody else has a limit
		const apart = `SELECT ST_Distance(r.position, o.position) FROM reports r, reports o
			WHERE r.id = ` + report.IDSQL + ` AND o.id = report_id($3, $4)`
		distance = database.AskOptional(p, pgx.RowTo[float64], apart, of.Args(original.Args()...)...)
	}
	return database.Derive(func() *Locked {
		h := pick(both.Get(), of)
		h.original, h.hasDuplicates, h.followers = pick(both.Get(), original), hasDuplicates.Get(), followers.Get()
		h.distance = distance.Get()
		end.Get().put(h)
		return h
	})
}

// pick returns the report that a names; nil where it is not among all.
func pick(all []Locked, a report.About) *Locked {
	i := slices.IndexFunc(all, func(h Locked) bool { return a.Names(h.ID, h.Number) })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// Event appends an event by actor to the report's ledger events, and returns its number among them. Call it after the
// change. The state that the event records is read where Event is called, after the statements that are queued by then; no
// caller can leave a part out. All events of a transaction are read in one round trip, right before its commit.
func (h *Locked) Event(tx *outbox.Tx, e ledger.Event, actor report.Actor) int {
	h.emptyAnswers(tx, e.Type)
	ledger.ShowQueued(tx, h.ID)
	chain := ledger.AskChain(tx, report.AboutID(h.ID), actor.AgencyID)
	e.Actor, e.At = ledger.Actor{Kind: string(actor.Kind), AgencyID: actor.AgencyID}, h.At
	h.seq++
	seq := h.seq
	if !h.changed {
		h.changed = true
		tx.BeforeCommit(func(ctx context.Context) error { return tx.Flush(ctx) })
	}
	tx.BeforeCommit(func(ctx context.Context) error {
		entry, err := chain.Get().Append(ctx, tx, e)
		if err != nil {
			return err
		}
		if entry.Seq != seq {
			return fmt.Errorf("event %d of the report became event %d", seq, entry.Seq)
		}
		h.entry = entry
		return nil
	})
	return seq
}

// ErrNotYourAgency is the 403 for an official who would work on a report that the own agency neither has nor may take.
var ErrNotYourAgency = problem.New(problem.Forbidden, "not_your_agency")

// WorkableBy returns nil if a may work on the report as staff, else ErrNotYourAgency. Officials work on reports of their
// agency, and on unassigned ones in its area and kind. Every operation of staff on one report asks this. The report must
// have been locked for a.
func (h *Locked) WorkableBy(a report.Actor) error {
	if !a.WorksFor(h.agencyFor(a)) {
		return ErrNotYourAgency
	}
	return nil
}

// agencyFor is the agency that the report has, or would have if a worked on it; nil for none.
func (h *Locked) agencyFor(a report.Actor) *uuid.UUID {
	if h.AssignedAgency == nil && a.Kind == report.ActorOfficial && h.taker != nil {
		return &h.taker.ID
	}
	return h.AssignedAgency
}

// VisibleTo returns nil if v may see the report, else the 410 of reportread.Viewer.Refuse.
func (h *Locked) VisibleTo(v reportread.Viewer) error { return v.Refuse(h.removed, h.UserID) }

// changeable returns nil unless the report was withdrawn or removed: then nobody changes it.
func (h *Locked) changeable() error {
	if h.removed.Final() {
		return h.removed.Gone()
	}
	return nil
}

// Expect is the version that a report must have for a change; the zero value accepts any.
type Expect struct {
	// Match checks the present version against an If-Match header and fails with 412 for another; nil for no header.
	Match func(version int) error
	// Version is the expected_version of a body. Another present version fails with 409; nil accepts any.
	Version *int
}

// Check fails where the present version is not the expected one: with 412 for Match, with 409 "stale" for Version.
func (e Expect) Check(h *Locked) error {
	if e.Match != nil {
		if err := e.Match(h.Version); err != nil {
			return withVersion(err, h.Version)
		}
	}
	if e.Version != nil && *e.Version != h.Version {
		return errStale.With("version", h.Version)
	}
	h.versionNamed = h.versionNamed || e.Match != nil || e.Version != nil
	return nil
}

// withVersion adds the present version to the problem that the client gets.
func withVersion(err error, version int) error {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.With("version", version)
	}
	return err
}
