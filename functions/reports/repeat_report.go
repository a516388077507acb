package reports

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportcreate"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/upload"
	"github.com/lafaekstreet/backend/shared/warning"
)

// Repeat is the existing report that a request repeats.
type Repeat struct {
	ID uuid.UUID
	// Withdrawn is true for a report that was withdrawn or removed since.
	Withdrawn bool
	// Updated is true where the request brought something that was added to the report.
	Updated bool

	// otherContact is true for a report that staff filed for somebody else than the request says.
	otherContact bool
	// sameContent is true for a report that was found by its content and not by a client_id.
	sameContent bool
	first       []byte   // content hash of the first request
	accepted    [][]byte // hashes of the accepted requests: see CreateInput.acceptedHash
}

// errClientIDReused is the 409 for a client_id that comes with content that cannot be added to its report.
var errClientIDReused = problem.New(problem.Conflict, "client_id_reused")

// errReportRemoved is the 410 for the retry of a report that was withdrawn or removed since.
var errReportRemoved = problem.New(problem.Gone, "report_removed")

// conflict is errClientIDReused about the report.
func (r *Repeat) conflict() error {
	return errClientIDReused.With("report_id", r.ID).Because(errClientIDReused)
}

// knows reports whether the words, type and place of the request were accepted before.
func (r *Repeat) knows(in CreateInput) bool {
	hash := in.AcceptedHash()
	return r.sameContent || bytes.Equal(r.first, in.ContentHash[:]) ||
		slices.ContainsFunc(r.accepted, func(known []byte) bool { return bytes.Equal(known, hash[:]) })
}

// repeat adds to an existing report what the request brings that is new, and names it in warnings: a picture where a place
// is free, and other words while the report is pending and without a verdict. If there is anything else that differs, it
// adds nothing and fails with a 409.
//
// Time, accuracy and phone may differ in a retry. Other members that differ have no effect and are named in warnings.
func (g *Group) repeat(ctx context.Context, tx *outbox.Tx, in CreateInput, sent []picture, r *Repeat) error {
	if bytes.Equal(r.first, in.ContentHash[:]) && len(in.uploads) == 0 && !in.shown {
		return nil // most retries
	}
	if r.Withdrawn {
		if !r.knows(in) {
			return r.conflict()
		}
		return nil
	}
	about := report.AboutID(r.ID)
	there := askRepeated(tx, about)
	pictures := askPictures(tx, about)
	spent := &ownEvents{caller: identity.Must(ctx), about: about, perDay: in.limits.CitizenEventsPerDay, onReport: in.limits.CitizenEventsPerReport}
	h, err := lockVisible(ctx, tx, about, "", spent.ask)
	if errors.Is(err, report.ErrRemoved) { // withdrawn after the lookup
		return r.conflict()
	}
	if err != nil {
		return err
	}
	w := warning.FromContext(ctx)
	change := repeatChange{about: r, report: h, stored: there.Get()}
	if !r.knows(in) {
		if err := change.content(in); err != nil {
			return err
		}
	}
	if err := change.pictures(g, in, sent, pictures.Get(), w); err != nil {
		return err
	}
	if change.changesWords() || len(change.added) > 0 {
		if err := spent.check(h); err != nil {
			return err
		}
	}
	return g.writeRepeat(ctx, tx, in, &change, w)
}

// repeatedReport is what a request is compared with, besides the words and the type.
type repeatedReport struct {
	Latitude, Longitude float64
	Severity            *report.Severity // the reporter's guess
	Address             reportread.Address
	Judged              bool        // the AI or a person has given a verdict
	Dropped             []uuid.UUID // uploads that the report could not take before
}

// askRepeated reads a report that the transaction is about to lock.
func askRepeated(p database.Pipeline, about report.About) *database.Ask[repeatedReport] {
	const q = `SELECT latitude, longitude, severity_guess, address, street, suco, district, municipality,
		ai_analysis_id IS NOT NULL OR ai_status IN ('completed', 'rejected'), coalesce(dropped_uploads, '{}')
		FROM reports WHERE id = ` + report.IDSQL + ` FOR UPDATE`
	return database.AskRow(p, func(row pgx.CollectableRow) (repeatedReport, error) {
		var r repeatedReport
		a := &r.Address
		err := row.Scan(&r.Latitude, &r.Longitude, &r.Severity, &a.Address, &a.Street, &a.Suco, &a.District, &a.Municipality, &r.Judged, &r.Dropped)
		return r, err
	}, q, about.Args()...).Missing(report.ErrNotFound)
}

// repeatChange is what a repeat adds to its report.
type repeatChange struct {
	about  *Repeat
	report *reportwrite.Locked
	stored repeatedReport

	title, description *string     // nil where they stay
	added              []picture   // pictures to attach
	replaced           []uuid.UUID // images that make place for them
}

// content compares type, words and place. Words can be changed while the report is pending and has no verdict. A text that
// the request does not have stays.
func (c *repeatChange) content(in CreateInput) error {
	h, raw := c.report, ""
	if in.IssueTypeRaw != nil {
		raw = *in.IssueTypeRaw
	}
	if in.IssueType != h.IssueType || !database.SameText(raw, h.IssueTypeRaw) ||
		reportcreate.Degrees(in.Latitude) != reportcreate.Degrees(c.stored.Latitude) || reportcreate.Degrees(in.Longitude) != reportcreate.Degrees(c.stored.Longitude) {
		return c.about.conflict()
	}
	if in.Title != "" && !database.SameText(in.Title, h.Title) {
		c.title = &in.Title
	}
	if in.Description != "" && !database.SameText(in.Description, h.Description) {
		c.description = &in.Description
	}
	if c.changesWords() && (h.Status != report.Pending || c.stored.Judged) {
		return c.about.conflict()
	}
	return nil
}

func (c *repeatChange) changesWords() bool { return c.title != nil || c.description != nil }

// writeWords changes the words of the report, or hides its reporter, and appends the change to the ledger, as PATCH does.
func (c *repeatChange) writeWords(ctx context.Context, tx *outbox.Tx, hide bool) {
	const q = `UPDATE reports SET title = coalesce($2, title), description = coalesce($3, description), is_anonymous = is_anonymous OR $4,
		version = version + 1, updated_at = now() WHERE id = $1`
	tx.Queue(q, c.report.ID, c.title, c.description, hide)
	c.report.Event(tx, ledger.Event{Type: ledger.Amended}, actorOn(identity.Must(ctx), c.report))
}

// pictures decides which pictures of the request are new, and which of them find a place.
func (c *repeatChange) pictures(g *Group, in CreateInput, sent []picture, there []attachedPicture, w *warning.Collector) error {
	var fresh []picture
	named := make(map[uuid.UUID]bool)
	for _, p := range sent {
		if at := slices.IndexFunc(there, func(a attachedPicture) bool { return a.same(p) }); at >= 0 {
			named[there[at].Image] = true
			continue
		}
		var fault *problem.Error
		if errors.As(p.Usable(g.clock.Now()), &fault) {
			w.Add(p.field, warning.Code(fault.Code)) // the codes are the same
			continue
		}
		fresh = append(fresh, p)
	}
	free := placesOf(there, evidence, in.limits.EvidenceImages, g.clock.Now())
	free.awaited = slices.DeleteFunc(free.awaited, func(id uuid.UUID) bool { return named[id] }) // the same request wants them
	for _, p := range fresh {
		if _, ok := free.take(len(c.added) + 1); ok && c.report.TakesEvidence() {
			c.added = append(c.added, p)
			continue
		}
		if !slices.Contains(c.stored.Dropped, p.ID) {
			return c.about.conflict()
		}
		w.Add(p.field, warning.ImageLimit) // as the first time
	}
	if len(c.added) > 0 {
		c.replaced, _ = free.take(len(c.added))
	}
	return nil
}

// same reports whether p is the picture that the report has or had: the same upload, or the same bytes. Bytes that never
// came are no picture yet.
func (a attachedPicture) same(p picture) bool {
	return a.Upload == p.ID || a.State != upload.Issued && p.Same(a.Upload, a.Hash)
}

// writeRepeat writes what a repeat changes, and names it in warnings.
func (g *Group) writeRepeat(ctx context.Context, tx *outbox.Tx, in CreateInput, c *repeatChange, w *warning.Collector) error {
	h := c.report
	if hide := in.Anonymous && !h.IsAnonymous; hide || c.changesWords() {
		c.writeWords(ctx, tx, hide)
		c.about.Updated = true
		for field, changed := range map[string]bool{"is_anonymous": hide, "title": c.title != nil, "description": c.description != nil} {
			if changed {
				w.Add(field, warning.Updated)
			}
		}
	}
	removeImages(tx, c.replaced)
	for _, p := range c.added {
		if _, err := g.attachImage(ctx, tx, h, evidence, p.Locked); err != nil {
			return fmt.Errorf("attach picture of a repeat: %w", err)
		}
		c.about.Updated = true
		w.Add(p.field, warning.Updated)
	}
	in.warnOfOthers(h, c.stored, w)
	if hash := in.AcceptedHash(); !c.about.knows(in) { // the newest 50 are kept
		const q = `UPDATE reports SET accepted_hashes = array_append(accepted_hashes[greatest(1, cardinality(accepted_hashes) - 48):], $2) WHERE id = $1`
		tx.Queue(q, h.ID, hash[:])
	}
	return nil
}

// warnOfOthers adds a warning for each member that a repeat cannot change, where it differs from the report.
func (in CreateInput) warnOfOthers(h *reportwrite.Locked, stored repeatedReport, w *warning.Collector) {
	if in.SeverityGuess != nil && (stored.Severity == nil || *in.SeverityGuess != *stored.Severity) {
		w.Add("severity", warning.NotTaken)
	}
	if h.IsAnonymous && in.shown {
		w.Add("is_anonymous", warning.NotTaken)
	}
	sent, there := in.Address, stored.Address
	for _, part := range []struct {
		field       string
		sent, there *string
	}{{"address", sent.Address, there.Address}, {"street", sent.Street, there.Street}, {"suco", sent.Suco, there.Suco},
		{"district", sent.District, there.District}, {"municipality", sent.Municipality, there.Municipality}} {
		if part.sent != nil && (part.there == nil || !database.SameText(*part.sent, *part.there)) {
			w.Add(part.field, warning.NotTaken)
		}
	}
}
