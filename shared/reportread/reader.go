// Package reportread reads reports for those who may see them: single reports, lists, reports near a place and similar ones.
// A Viewer says who reads; each query is limited to what that person may see.
package reportread

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/report"
)

// Reader reads reports as a Viewer may see them.
type Reader struct {
	db             database.Querier
	links          Links
	municipalities Municipalities
	ledger         ledger.Config
	receipts       *ledger.Receipts // nil where answers have no receipts
}

// NewReader returns a Reader of the reports in db.
func NewReader(db database.Querier, links Links, m Municipalities, c ledger.Config) *Reader {
	return &Reader{db: db, links: links, municipalities: m, ledger: c}
}

// WithReceipts has r give reporters the receipt of their report. It returns r.
func (r *Reader) WithReceipts(receipts *ledger.Receipts) *Reader {
	r.receipts = receipts
	return r
}

// In returns a Reader that reads in a transaction, so it sees what the transaction has written.
func (r *Reader) In(tx database.Querier) *Reader {
	c := *r
	c.db = tx
	return &c
}

// Links makes addresses of stored objects.
type Links interface {
	// Link returns an address under which the object can be read for at least one hour.
	Link(ctx context.Context, key string) (string, error)
}

// Municipalities finds a municipality by its code or name.
type Municipalities interface {
	// Code returns the code of the municipality that word names; false when there is none.
	Code(ctx context.Context, word string) (string, bool, error)
}

// Viewer is the person who reads reports. Only its author and staff see a report that was taken down, and the words and
// pictures of one without a verdict. What was withdrawn or removed is in no list.
// Only moderators, administrators and the author see who created an anonymous report.
type Viewer struct {
	userID uuid.UUID // uuid.Nil for the public
	staff  bool
	// official is staff who do not moderate.
	official bool
	// withRemoved has lists name what was withdrawn or removed too.
	withRemoved bool
}

// Public is a viewer who has not signed in.
func Public() Viewer { return Viewer{} }

// ViewerOf is a signed-in person.
func ViewerOf(c identity.Caller) Viewer {
	return Viewer{userID: c.UserID, staff: c.Role.IsStaff(), official: c.Role == identity.Official}
}

// owns reports whether the viewer is the person with id.
func (v Viewer) owns(id *uuid.UUID) bool { return id != nil && v.userID != uuid.Nil && *id == v.userID }

// visible limits a query on reports r to what the viewer may see. Statuses is the filter of the query, as in Filters. Rejected reports are shown to their
// authors alone. A query that asks for other statuses only finds none of them, so it gets no condition on authors: the indexes of status do not have authors.
func (v Viewer) visible(w *where, statuses string) {
	if w.removed = v.withRemoved; !w.removed {
		w.and("r.deleted_at IS NULL")
	}
	asked, bad := report.ParseList(statuses, report.ParseStatus)
	switch {
	case v.staff:
	case bad == "" && len(asked) > 0 && !slices.Contains(asked, report.Rejected):
	case v.userID == uuid.Nil:
		w.and("r.status <> 'rejected'")
	default:
		w.and("(r.status <> 'rejected' OR r.user_id = ?)", v.userID)
	}
}

// readable returns the condition that the viewer may read the words and see the pictures of reports r.
func (v Viewer) readable(w *where) string {
	switch {
	case v.staff:
		return "true"
	case v.userID == uuid.Nil:
		return report.ShownSQL
	}
	return w.bind("("+report.ShownSQL+" OR r.user_id = ?)", v.userID)
}

// onlyReadable limits a query to the reports that readable is true of.
func (v Viewer) onlyReadable(w *where) {
	if condition := v.readable(w); !v.staff {
		w.and(condition)
	}
}

// onlyWords limits a query to the reports whose words v may read, and to those that a condition is true of; "" is none.
func (v Viewer) onlyWords(w *where, or string) {
	if or != "" {
		or = " OR " + or
	}
	switch words := report.ShownSQL + " AND " + report.WordsShownSQL; {
	case v.staff:
	case v.userID == uuid.Nil:
		w.and("(" + words + or + ")")
	default:
		w.and("("+words+or+" OR r.user_id = ?)", v.userID)
	}
}

// KnowsAuthor reports whether the viewer is staff or the author: then they may see a rejected report, and all of a report
// without a verdict.
func (v Viewer) KnowsAuthor(author *uuid.UUID) bool { return v.staff || v.owns(author) }

// SeesAnonymous reports whether the viewer may see who created an anonymous report: its author may, and who moderates. An
// official may not.
func (v Viewer) SeesAnonymous(author *uuid.UUID) bool {
	return v.staff && !v.official || v.owns(author)
}

// Refuse is nil where the viewer may read a report with a tombstone and an author, else the 410 of the tombstone. A report that
// was taken down is for its reporter and staff alone. t is nil for one that was not.
func (v Viewer) Refuse(t *report.Tombstone, author *uuid.UUID) error {
	if t == nil || v.KnowsAuthor(author) {
		return nil
	}
	return t.Gone()
}

// MayRead has the pipeline fail unless the viewer may read a report: with report.ErrNotFound where there is none, and with the
// 410 of Refuse. The result is whether its words and pictures are shown to the viewer: see report.HiddenSQL.
func (v Viewer) MayRead(p database.Pipeline, a report.About) *database.Ask[bool] {
	return v.readableNow(askVisibility(p, a).Check(func(s visibility) error { return v.Refuse(s.Removed, s.Author) }))
}

// MayChange is MayRead for a change that does not lock the report. What was withdrawn or removed is a 410 for everybody.
func (v Viewer) MayChange(p database.Pipeline, a report.About) *database.Ask[bool] {
	return v.readableNow(askVisibility(p, a).Check(func(s visibility) error {
		if s.Removed.Final() {
			return s.Removed.Gone()
		}
		return v.Refuse(s.Removed, s.Author)
	}))
}

func (v Viewer) readableNow(found *database.Ask[visibility]) *database.Ask[bool] {
	return database.Derive(func() bool { return !found.Get().Hidden || v.KnowsAuthor(found.Get().Author) })
}

// MayReadAnalyses is MayRead of what the AI says about the report, which describes its words and pictures: the result is false
// where one of these is hidden from the viewer.
func (v Viewer) MayReadAnalyses(p database.Pipeline, a report.About) *database.Ask[bool] {
	readable := v.MayRead(p, a)
	const q = `SELECT r.user_id, ` + report.HeldBackSQL + ` FROM reports r WHERE r.id = ` + report.IDSQL
	held := database.AskOptional(p, func(row pgx.CollectableRow) (bool, error) {
		var author *uuid.UUID
		var held bool
		err := row.Scan(&author, &held)
		return held && !v.KnowsAuthor(author), err
	}, q, a.Args()...)
	return database.Derive(func() bool { return readable.Get() && held.Get() != nil && !*held.Get() })
}

// MayReadRecord has the pipeline fail with report.ErrNotFound unless there is such a report. Everybody may read the ledger
// record of a report, whatever became of it: its entries are in the public log. The result is whether the viewer may also
// read entries from before the public log. They can have the severity and the place to 4 decimals of a report that was
// never shown.
func (v Viewer) MayReadRecord(p database.Pipeline, a report.About) *database.Ask[bool] {
	found := askVisibility(p, a)
	return database.Derive(func() bool {
		s := found.Get()
		return !s.Hidden && s.Status != report.Rejected || v.KnowsAuthor(s.Author)
	})
}

func askVisibility(p database.Pipeline, a report.About) *database.Ask[visibility] {
	const q = `SELECT r.status, r.user_id, ` + report.HiddenSQL + `, ` + report.TombstoneSQL + ` FROM reports r WHERE r.id = ` + report.IDSQL
	return database.AskRow(p, pgx.RowToStructByPos[visibility], q, a.Args()...).Missing(report.ErrNotFound)
}

// visibility is what decides who may see a report.
type visibility struct {
	Status  report.Status
	Author  *uuid.UUID
	Hidden  bool
	Removed *report.Tombstone
}
