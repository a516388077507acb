package reports

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/upload"
	"github.com/lafaekstreet/backend/shared/warning"
	"github.com/lafaekstreet/backend/shared/workday"
)

// maxDisputes is how often one person may dispute the repairs of one report.
const maxDisputes = 3

func (g *Group) registerDispute(api *httpapi.API) {
	op := changeOperation(http.MethodPost, "/dispute", "Say that a report is not fixed",
		"For the reporter, the reporters of its duplicates, and whoever confirmed it before it was marked as fixed. The report is in progress again, with a new deadline for its agency. "+
			"Once each time that it is marked as fixed, within dispute_days (30) of it, and three times in all: else 409 dispute_over. "+
			"The note becomes a comment; the picture, of the kind dispute, is shown after its verdict. The receipt is that of the dispute. A repeat of a client_id gets the same answer.")
	op.Creates, op.Limit, op.DefaultStatus = true, admission.LimitComment, http.StatusOK
	op.Lenient = &httpapi.Lenient{Strict: []string{"upload_id", "on_behalf_of"}}
	op.Aliases = map[string]string{"reason": "note", "comment": "note", "text": "note", "content": "note"}
	httpapi.Register(api, op.WithProblems(reportwrite.Problems()...).WithProblems(upload.AttachProblems()...).WithProblems(reportwrite.ErrTransitionNotAllowed.With("allowed", []report.Status{report.Fixed}), errClientIDReused.With("report_id", problem.ExampleID()), errDisputeOver.With("allowed", []report.Status{report.Fixed}), errForbidden, reportwrite.ErrNotYourAgency), g.dispute)
}

type disputeInput struct {
	report.RefInput
	Body struct {
		_          struct{} `schema:"ReportDispute"`
		Note       *string  `json:"note,omitempty" maxLength:"1000" doc:"What is not fixed. Demanded without a picture. What is longer is cut" example:"The hole is open again."`
		UploadID   *string  `json:"upload_id,omitempty" format:"uuid" doc:"A picture of it. Demanded without a note"`
		ClientID   *string  `json:"client_id,omitempty" format:"uuid" doc:"Made by the app; a second request with the same id and content gets the same answer"`
		OnBehalfOf *bool    `json:"on_behalf_of,omitempty" doc:"By staff, on the word of the person for whom they filed the report"`
	}
}

// disputeRequest is a request to dispute a repair, checked as far as the request alone allows.
type disputeRequest struct {
	caller   identity.Caller
	note     string
	uploads  []uuid.UUID // none or one
	onBehalf bool
	id       uuid.UUID // of the dispute
	repeats  bool      // id is that of a client_id
}

func (in *disputeInput) request(c identity.Caller) (disputeRequest, error) {
	out := disputeRequest{caller: c, id: database.NewID(), onBehalf: in.Body.OnBehalfOf != nil && *in.Body.OnBehalfOf}
	if in.Body.Note != nil {
		out.note = strings.TrimSpace(database.Text(*in.Body.Note))
	}
	if in.Body.UploadID != nil {
		id, err := uuid.Parse(*in.Body.UploadID)
		if err != nil {
			return out, upload.ErrUnknown
		}
		out.uploads = append(out.uploads, id)
	}
	if out.note == "" && out.uploads == nil {
		return out, problem.InvalidField("note", "required, or a picture: say what is not fixed")
	}
	if in.Body.ClientID != nil {
		if id, err := uuid.Parse(*in.Body.ClientID); err == nil && id != uuid.Nil {
			out.id, out.repeats = uuid.NewSHA1(c.UserID, id[:]), true
		}
	}
	if out.onBehalf && !c.Role.IsStaff() {
		return out, errForbidden
	}
	return out, nil
}

// disputeState is what a dispute depends on besides the report.
type disputeState struct {
	FixedAt   *time.Time
	Confirmed bool // by the caller, before the report was marked as fixed
	Contact   bool // staff filed the report for somebody
	Claimed   bool // who is the reporter now
	Own       int  // disputes of the caller
	OnBehalf  int  // disputes on the word of the contact
	Name      string
}

func (r disputeRequest) askState(p database.Pipeline, about report.About) *database.Ask[disputeState] {
	const q = `SELECT r.resolved_at, EXISTS (SELECT FROM report_confirmations c WHERE c.report_id = r.id AND c.user_id = u.id AND c.created_at < coalesce(r.resolved_at, 'infinity')),
			EXISTS (SELECT FROM report_contacts c WHERE c.report_id = r.id), EXISTS (SELECT FROM report_contacts c WHERE c.report_id = r.id AND c.claimed_at IS NOT NULL),
			(SELECT count(*) FROM report_disputes d WHERE d.report_id = r.id AND d.user_id = u.id AND NOT d.on_behalf_of),
			(SELECT count(*) FROM report_disputes d WHERE d.report_id = r.id AND d.on_behalf_of), u.full_name
		FROM reports r, users u WHERE u.id = $3 AND r.id = ` + report.IDSQL
	return database.AskRow(p, pgx.RowToStructByPos[disputeState], q, about.Args(r.caller.UserID)...).Missing(report.ErrNotFound)
}

// earlierDispute is what was sent under the same client_id.
type earlierDispute struct {
	Report uuid.UUID
	Note   *string
	Upload *uuid.UUID
}

func (r disputeRequest) askEarlier(p database.Pipeline) *database.Ask[*earlierDispute] {
	const q = `SELECT d.report_id, c.content, i.upload_id FROM report_disputes d LEFT JOIN report_comments c ON c.id = d.comment_id
		LEFT JOIN report_images i ON i.id = d.image_id WHERE d.id = $1`
	return database.AskOptional(p, pgx.RowToStructByPos[earlierDispute], q, r.id)
}

// sameAs reports whether r says the same as e of the report with the id.
func (r disputeRequest) sameAs(e earlierDispute, id uuid.UUID) bool {
	note, picture := "", []uuid.UUID(nil)
	if e.Note != nil {
		note = *e.Note
	}
	if e.Upload != nil {
		picture = append(picture, *e.Upload)
	}
	return e.Report == id && database.SameText(note, r.note) && len(picture) == len(r.uploads) && (picture == nil || picture[0] == r.uploads[0])
}

// actor is as whom the caller acts: as a citizen, or as staff for the contact.
func (r disputeRequest) actor() report.Actor {
	if r.onBehalf {
		return report.ActorOf(r.caller)
	}
	return report.Actor{Kind: report.ActorCitizen, UserID: &r.caller.UserID}
}

// check is nil where the caller may dispute the repair of h now.
func (r disputeRequest) check(h *reportwrite.Locked, s disputeState, limits settings.Settings) error {
	made := s.Own
	switch {
	case r.onBehalf && !s.Contact:
		return problem.InvalidField("on_behalf_of", "the report was not filed for somebody")
	case r.onBehalf && s.Claimed: // the person speaks for themselves
		return errForbidden
	case r.onBehalf:
		made = s.OnBehalf
		if err := h.WorkableBy(report.ActorOf(r.caller)); err != nil {
			return err
		}
	case !h.ReportedBy(r.caller) && !h.HasDuplicateOf(r.caller.UserID) && !s.Confirmed:
		return errForbidden
	}
	if h.Status != report.Fixed {
		return nil // Locked.Dispute refuses it
	}
	if made >= maxDisputes || s.FixedAt == nil || h.At.After(s.FixedAt.AddDate(0, 0, limits.DisputeDays)) {
		return errDisputeOver.With("allowed", report.Allowed(h.Status, report.ActorOf(r.caller), h.AssignedAgency))
	}
	return nil
}

func (g *Group) dispute(ctx context.Context, in *disputeInput) (*reportOutput, error) {
	caller := identity.Must(ctx)
	r, err := in.request(caller)
	if err != nil {
		return nil, err
	}
	limits, err := g.settings.Current(ctx)
	if err != nil {
		return nil, err
	}
	spent, err := g.ownEvents(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var (
		state   *database.Ask[disputeState]
		earlier *database.Ask[*earlierDispute]
		logged  *database.Ask[[]ledger.Logged]
		uploads *database.Ask[[]upload.Locked]
		repeat  bool
	)
	c := reportwrite.Change{
		Ask: func(p database.Pipeline) {
			spent.ask(p)
			state, earlier, uploads = r.askState(p, spent.about), r.askEarlier(p), upload.Lock(p, upload.OfPerson(caller.UserID), r.uploads)
			logged = ledger.AskLogged(p, caller.UserID, `(e.report_id, e.seq) = (SELECT report_id, seq FROM report_disputes WHERE id = $1)`, r.id)
		},
		Do: func(tx *outbox.Tx, h *reportwrite.Locked) error {
			if e := earlier.Get(); e != nil {
				if repeat = true; !r.sameAs(*e, h.ID) {
					return errClientIDReused.With("report_id", e.Report)
				}
				return nil
			}
			if err := cmp.Or(r.check(h, state.Get(), limits), spent.check(h)); err != nil {
				return err
			}
			return g.applyDispute(ctx, tx, h, r, state.Get(), limits, uploads.Get())
		},
		Record: func(ctx context.Context, tx *outbox.Tx, read func() (reportread.Report, error)) error {
			if !httpapi.HasIdempotencyKey(ctx) {
				return nil
			}
			out, err := read()
			if err != nil {
				return err
			}
			if repeat {
				out.Receipt = ledger.Mark(logged.Get()[0].Number, logged.Get()[0].Seq)
			}
			out.Warnings = warning.FromContext(ctx).List()
			return httpapi.RecordAnswer(ctx, tx, http.StatusOK, out)
		},
	}
	out, err := g.change(ctx, in.ID, "", c)
	if err == nil && repeat {
		out.Body.Receipt = g.receipts.For(ctx, logged.Get()[0])
	}
	return out, err
}

// applyDispute adds the picture and makes the dispute.
func (g *Group) applyDispute(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked, r disputeRequest, s disputeState, limits settings.Settings, uploads []upload.Locked) error {
	pictures, err := upload.InOrder(r.uploads, uploads)
	if err != nil {
		return err
	}
	d := reportwrite.Dispute{ID: r.id, By: r.actor(), OnBehalfOf: r.onBehalf, Note: r.note, Name: s.Name,
		Due: workday.NewCalendar(limits.Holidays).Deadline(h.At, limits.Deadlines.For(h.Severity))}
	if s.FixedAt != nil {
		d.FixedAt = *s.FixedAt
	}
	for _, p := range pictures {
		if err := p.Usable(g.clock.Now()); err != nil {
			return err
		}
		image := database.NewID()
		reportwrite.AttachImage(tx, image, h.ID, p.ID, &r.caller.UserID, dispute)
		upload.Attach(tx, []uuid.UUID{p.ID})
		d.Image = &image
		if p.State == upload.Processed {
			if err := tx.Send(ctx, queue.Validate, queue.ValidateMessage{ReportID: h.ID}); err != nil {
				return err
			}
		}
	}
	return h.Dispute(ctx, tx, d)
}
