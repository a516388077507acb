package reportwrite

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/upload"
)

// Whose flags do not count: of their last settledFlags settled flags at least dismissedFlags were dismissed, or they have made
// flagsInADay flags within 24 hours. They get the same answer as others.
const (
	settledFlags   = 10
	dismissedFlags = 8
	flagsInADay    = 20
)

// ErrOwnContent is the 409 for a flag of what the person wrote.
var ErrOwnContent = problem.New(problem.Conflict, "own_content")

// FlagState is what a flag of a person depends on.
type FlagState struct {
	Repeated  bool // the person has an open flag of the same thing
	Counts    bool // that flag counts; where there is none, a new one of the person does
	People    int  // others whose open flags of the same thing count
	Published bool // the setting publish_before_verdict is on
}

// enough reports whether so many people have flagged that the thing is hidden.
func (s FlagState) enough(toHide int) bool {
	if s.Counts {
		return s.People+1 >= toHide
	}
	return s.People >= toHide
}

// AskFlagState reads the FlagState of a person for a report, or for one of its comments. Call it after the report is locked.
func AskFlagState(p database.Pipeline, about report.About, comment *uuid.UUID, person uuid.UUID, s settings.Settings) *database.Ask[FlagState] {
	const q = `
		WITH open AS (SELECT f.user_id, f.counted FROM report_flags f WHERE f.settled_at IS NULL AND f.report_id = ` + report.IDSQL + `
			AND coalesce(f.comment_id, f.report_id) = coalesce($3, ` + report.IDSQL + `))
		SELECT EXISTS (SELECT FROM open WHERE user_id = $4),
			coalesce((SELECT bool_or(counted) FROM open WHERE user_id = $4), u.created_at <= now() - make_interval(days => $5)
			AND (SELECT count(*) FROM (SELECT FROM report_flags WHERE user_id = $4 AND created_at > now() - interval '1 day' LIMIT $6) d) < $6
			AND (SELECT count(*) FILTER (WHERE outcome = 'dismissed') FROM (SELECT outcome FROM report_flags
				WHERE user_id = $4 AND settled_at IS NOT NULL ORDER BY settled_at DESC LIMIT $7) l) < $8),
			(SELECT count(*) FROM open WHERE counted AND user_id IS DISTINCT FROM $4), ` + report.PublishedSQL + `
		FROM users u WHERE u.id = $4`
	return database.AskRow(p, pgx.RowToStructByPos[FlagState], q, about.Args(comment, person, s.FlagMinAccountDays, flagsInADay, settledFlags, dismissedFlags)...)
}

// Flag is what a person says against a report or a comment.
type Flag struct {
	By      uuid.UUID
	Comment *LockedComment // nil for the report
	Reason  report.ReasonCode
	Note    string
	State   FlagState
	// ToHide is how many people's flags hide.
	ToHide int
	// Renditions takes the pictures out of public reach; nil for a flag of a comment.
	Renditions *upload.Renditions
}

// Flag stores a flag. Where enough people's flags are open, it hides the words and the pictures of the report, or the comment,
// until a moderator has looked: see report.HiddenByFlags. Before a verdict nothing is hidden while nothing is shown: see
// hideFlagged. A second flag of the same person is not stored; it hides what changed since a moderator looked, if enough flags are
// still open. Of a rejected report none is stored.
func (h *Locked) Flag(ctx context.Context, tx *outbox.Tx, f Flag) error {
	author, entity, id := h.UserID, "report", h.ID
	var comment *uuid.UUID
	if f.Comment != nil {
		author, entity, id, comment = f.Comment.Author, "comment", f.Comment.ID, &f.Comment.ID
	}
	if author != nil && *author == f.By {
		return ErrOwnContent
	}
	if h.Status == report.Rejected {
		return nil
	}
	if !f.State.Repeated {
		if err := h.storeFlag(ctx, tx, f, entity, id, comment); err != nil {
			return err
		}
	}
	if !f.State.enough(f.ToHide) || h.Status == report.Pending && !f.State.Published {
		return nil
	}
	x := Hiding{By: report.System(), Reason: f.Reason}
	switch {
	case f.Comment != nil && f.Comment.Hidden == "" && !f.Comment.Moderated:
		return h.HideComment(ctx, tx, f.Comment, x)
	case f.Comment == nil && (h.WordsHidden == "" || h.picturesShown) && !h.Moderated:
		return h.hideByFlags(ctx, tx, x, f.Renditions)
	}
	return nil
}

// storeFlag stores a flag of an entity, which is the report or the comment.
func (h *Locked) storeFlag(ctx context.Context, tx *outbox.Tx, f Flag, entity string, id uuid.UUID, comment *uuid.UUID) error {
	const insert = `INSERT INTO report_flags (id, report_id, comment_id, user_id, reason_code, note, counted) VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7)`
	tx.Queue(insert, database.NewID(), h.ID, comment, f.By, f.Reason, f.Note, f.State.Counts)
	tx.Queue(`UPDATE reports SET flags_count = flags_count + 1 WHERE id = $1`, h.ID)
	h.Flags++
	return audit.Record(ctx, tx, audit.Entry{Action: entity + ".flag", Entity: entity, EntityID: id.String(),
		After: map[string]any{"reason_code": f.Reason}})
}

// hideFlagged hides a report that leaves the status from by move m, if enough people flagged it while it was pending. A
// moderator's verification says that the words are good.
func (h *Locked) hideFlagged(ctx context.Context, tx *outbox.Tx, m Move, from report.Status) error {
	looked := h.Moderated || m.To == report.Verified && (m.By.Kind == report.ActorModerator || m.By.Kind == report.ActorAdmin)
	if from != report.Pending || m.To == report.Rejected || looked || h.flagged.Reason == nil || h.plan == nil || h.flagged.People < h.plan.settings.FlagsToHide {
		return nil
	}
	if h.WordsHidden != "" && !h.picturesShown {
		return nil
	}
	if m.Renditions == nil {
		return errors.New("a flagged report without access to its pictures")
	}
	return h.hideByFlags(ctx, tx, Hiding{By: report.System(), Reason: *h.flagged.Reason}, m.Renditions)
}

// hideByFlags hides the words and the pictures of the report, and tells the reporter.
func (h *Locked) hideByFlags(ctx context.Context, tx *outbox.Tx, x Hiding, renditions *upload.Renditions) error {
	was := h.WordsHidden
	if was == "" {
		h.setWordsHidden(tx, x)
	}
	const pictures = `UPDATE report_images SET hidden = 'flags', hidden_reason = $2 WHERE report_id = $1 AND hidden IS NULL AND deleted_at IS NULL`
	tx.Queue(pictures, h.ID, x.Reason)
	renditions.MoveOfReport(tx, h.ID, h.Status)
	x.Event(tx, h)
	if err := x.Audit(ctx, tx, "report", h.ID, was); err != nil {
		return err
	}
	return h.tellReporter(ctx, tx, notification.ReportEdited, newEdit(), x.Params(h, notification.ReportFlagged), nil)
}

// UpholdFlags settles the open flags of the report as right. What they hid stays hidden, as by the moderator: so it is part of
// a hiding x, which appends its event after it.
func (h *Locked) UpholdFlags(tx *outbox.Tx, x Hiding) {
	h.settleFlags(tx, report.FlagUpheld, x.By, ofReport, nil)
	if h.WordsHidden == report.HiddenByFlags {
		h.setWordsHidden(tx, x)
	}
	if h.picturesFlagged {
		tx.Queue(`UPDATE report_images SET hidden = 'moderator', hidden_reason = $2 WHERE report_id = $1 AND hidden = 'flags'`, h.ID, x.Reason)
	}
}

// DismissFlags settles the open flags of the report as wrong and shows what flags hid, with an event and told to the reporter.
// Flags hide it again only after its content changed.
func (h *Locked) DismissFlags(ctx context.Context, tx *outbox.Tx, by report.Actor, note string) error {
	hid := h.WordsHidden == report.HiddenByFlags || h.picturesFlagged
	if h.Flags == 0 && !hid && h.Moderated {
		return nil
	}
	h.settleFlags(tx, report.FlagDismissed, by, ofReport, nil)
	if err := auditDismissed(ctx, tx, "report", h.ID, note); err != nil {
		return err
	}
	if !hid {
		tx.Queue(`UPDATE reports SET moderated_at = now() WHERE id = $1`, h.ID)
		return nil
	}
	const words = `
		UPDATE reports SET words_hidden = nullif(words_hidden, 'flags'), words_hidden_reason = CASE WHEN words_hidden <> 'flags' THEN words_hidden_reason END,
			moderated_at = now(), version = version + 1, updated_at = now()
		WHERE id = $1`
	tx.Queue(words, h.ID)
	tx.Queue(`UPDATE report_images SET hidden = NULL, hidden_reason = NULL WHERE report_id = $1 AND hidden = 'flags'`, h.ID)
	h.Version++
	h.Event(tx, ledger.Event{Type: ledger.Hidden, Note: note}, by)
	return h.tellReporter(ctx, tx, notification.ReportEdited, newEdit(), h.edited(notification.FlagsDismissed), by.UserID)
}

// DismissCommentFlags is DismissFlags for a comment.
func (h *Locked) DismissCommentFlags(ctx context.Context, tx *outbox.Tx, c *LockedComment, by report.Actor, note string) error {
	if c.Hidden == report.HiddenByFlags {
		return h.ShowComment(ctx, tx, c, by, note)
	}
	h.settleFlags(tx, report.FlagDismissed, by, ofComment, &c.ID)
	if c.Moderated && h.Flags == 0 {
		return nil
	}
	tx.Queue(`UPDATE report_comments SET moderated_at = now() WHERE id = $1`, c.ID)
	return auditDismissed(ctx, tx, "comment", c.ID, note)
}

func auditDismissed(ctx context.Context, tx *outbox.Tx, entity string, id uuid.UUID, note string) error {
	return audit.Record(ctx, tx, audit.Entry{Action: entity + ".flags_dismiss", Entity: entity, EntityID: id.String(), After: map[string]any{"note": note}})
}

// SettleAllFlags settles the open flags of the report and of its comments as right: others do not see the report any more.
func (h *Locked) SettleAllFlags(tx *outbox.Tx, by report.Actor) {
	h.settleFlags(tx, report.FlagUpheld, by, ofAll, nil)
}

// Which flags f of a report are settled: conditions on $4, a comment.
const (
	ofReport  = `f.comment_id IS NULL AND $4::uuid IS NULL`
	ofComment = `f.comment_id = $4`
	ofAll     = `$4::uuid IS NULL`
)

func (h *Locked) settleFlags(tx *outbox.Tx, outcome report.FlagOutcome, by report.Actor, which string, comment *uuid.UUID) {
	if h.Flags == 0 {
		return
	}
	settle(tx, h.ID, outcome, by, which, comment)
}

// SettleFlagsOfComment settles the open flags of a comment that is removed as right. The report's row is locked.
func SettleFlagsOfComment(p database.Pipeline, reportID, comment uuid.UUID, by report.Actor) {
	settle(p, reportID, report.FlagUpheld, by, ofComment, &comment)
}

func settle(p database.Pipeline, reportID uuid.UUID, outcome report.FlagOutcome, by report.Actor, which string, comment *uuid.UUID) {
	q := `WITH gone AS (UPDATE report_flags f SET settled_at = now(), outcome = $2, settled_by = $3
			WHERE f.report_id = $1 AND f.settled_at IS NULL AND ` + which + ` RETURNING f.id)
		UPDATE reports SET flags_count = flags_count - (SELECT count(*) FROM gone) WHERE id = $1 AND EXISTS (SELECT FROM gone)`
	p.Queue(q, reportID, outcome, by.UserID, comment)
}

// FlaggedOutput is the answer to a flag.
type FlaggedOutput struct {
	Body struct {
		_       struct{} `schema:"Flagged"`
		Message string   `json:"message" doc:"What happens with it, in the reader's language. It is the same whether the flag counts or not"`
	}
}

// Flagged answers in the language of the request.
func Flagged(ctx context.Context) *FlaggedOutput {
	out := &FlaggedOutput{}
	out.Body.Message = locale.TextFor(ctx, "message.flagged")
	return out
}
