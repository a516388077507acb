package open311

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/apikey"
	"github.com/lafaekstreet/backend/shared/comment"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/warning"
)

func (g *Group) registerCreateUpdate(a *httpapi.API) {
	o := write("/servicerequestupdates", "Add an update to a report")
	o.Description = "As FixMyStreet sends updates. The description becomes a comment in the name of the other system, once for each update_id of its API key; " +
		"a repeat gets the same answer. Without a description the comment is the status. The status moves nothing. " +
		"A report that waits for its verdict takes updates from the key that sent it alone."
	register(g, a, o, g.createUpdate)
}

type createUpdateInput struct{ Write }

// updateRequest is a checked request for a new update.
type updateRequest struct {
	report   report.About
	clientID uuid.UUID // made of the key and the update_id
	content  string
}

// notKept are the fields of an update that are read by nobody. Pictures are not kept either: what is shown of a picture is made anew and
// judged, and a comment has none.
func notKept() []string {
	return []string{"status", "updated_datetime", "email", "phone", "first_name", "last_name", "media_url", "media"}
}

// readUpdate checks a request for a new update.
func readUpdate(f form, key apikey.Key, w *warning.Collector) (updateRequest, error) {
	r := &formReader{form: f, warnings: w}
	id, updateID, status := r.one("service_request_id"), r.one("update_id"), r.one("status")
	out := updateRequest{clientID: uuid.NewSHA1(key.ID, []byte("update:"+updateID)), content: r.one("description")}
	for _, needed := range []struct{ name, value string }{{"service_request_id", id}, {"update_id", updateID}} {
		if needed.value == "" {
			r.fault(problem.InvalidField(needed.name, "required"))
		}
	}
	if utf8.RuneCountInString(updateID) > maxID {
		r.fault(problem.InvalidField("update_id", "at most 255 characters"))
	}
	if utf8.RuneCountInString(out.content) > maxDescription {
		r.fault(problem.InvalidField("description", "at most 4,000 characters"))
	}
	unread := notKept()
	switch {
	case out.content == "" && status == "":
		r.fault(problem.InvalidField("description", "required"))
	case out.content == "":
		out.content, unread = string([]rune(status)[:min(maxTitle, utf8.RuneCountInString(status))]), unread[1:]
	}
	for _, name := range unread {
		if len(f.all(name)) > 0 || name == "media" && len(f.files) > 0 {
			w.Add(name, warning.NotTaken)
		}
	}
	if len(r.faults) > 0 {
		return updateRequest{}, &problem.Error{Kind: problem.Invalid, Code: "invalid_input", Fields: r.faults}
	}
	var err error
	if out.report, err = report.Ref(id).About(); err != nil {
		return updateRequest{}, errNoRequest
	}
	return out, nil
}

// errNoRequest is the 404 for a report that does not exist, or that everybody sees as taken down.
var errNoRequest = notFound("service_request_id", "there is no such request")

// updateContext is what a new update depends on.
type updateContext struct {
	comment.Target
	repeat *repeatedUpdate // nil if there is none
	logged []ledger.Logged // the event of repeat
}

// repeatedUpdate is the comment of a key with the same update_id.
type repeatedUpdate struct {
	ID, ReportID uuid.UUID
	Content      string // also while it is hidden
}

// createUpdate answers POST servicerequestupdates with the id of a new comment, or of the one that the request repeats.
func (g *Group) createUpdate(ctx context.Context, in *createUpdateInput) (*answer, error) {
	f, key, err := g.open(ctx, &in.Write)
	if err != nil {
		return nil, err
	}
	w := warning.NewCollector(ctx)
	request, err := readUpdate(f, key, w)
	if err != nil {
		return nil, err
	}
	if err := g.spend(ctx, key, admission.LimitKeyUpdates); err != nil {
		return nil, err
	}
	out, created, err := g.addUpdate(ctx, key, request, w)
	if err != nil || !created {
		g.giveBack(ctx, key, admission.LimitKeyUpdates)
	}
	return out, err
}

// addUpdate also reports whether it made a comment; it makes none for a repeat.
func (g *Group) addUpdate(ctx context.Context, key apikey.Key, request updateRequest, w *warning.Collector) (*answer, bool, error) {
	var id uuid.UUID
	var s *updateContext
	var entry *ledger.NewEntry
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		var err error
		if s, err = lockForUpdate(ctx, tx, key, request); err != nil {
			return err
		}
		if s.repeat != nil {
			id = s.repeat.ID
			return nil
		}
		client := request.clientID.String()
		c, added, err := s.Add(ctx, tx, comment.New{Author: comment.Author{ID: key.ID, FullName: key.Name, Role: identity.Citizen}, OfKey: true,
			By: report.Actor{Kind: report.ActorCitizen}, Content: request.content, ClientID: &client})
		id, entry = c.ID, added
		return err
	})
	// This report is locked, so a concurrent update with the same update_id can only be on another report.
	if database.Violates(err, "report_comments_api_key_client_key") {
		return nil, false, errUpdateIDReused
	}
	if err != nil {
		return nil, false, err
	}
	receipt := g.receipts.Of(ctx, entry, s.Report.Number, false)
	for _, e := range s.logged {
		receipt = g.receipts.For(ctx, e)
	}
	item := object{{"update_id", id.String()}, {"service_request_id", s.Report.Number}, {"extensions", madeExtensions(key.ID, receipt, w)}}
	return &answer{document: document{"service_request_updates", list{"request_update", []any{item}}}}, entry != nil, nil
}

// errUpdateIDReused is the error for an update_id that was sent with another update.
var errUpdateIDReused = problem.InvalidField("update_id", "it was sent before with another update")

// lockForUpdate locks the report and reads what the update depends on, in one round trip. It fails unless everybody sees the report, or
// the request repeats an update.
func lockForUpdate(ctx context.Context, tx *outbox.Tx, key apikey.Key, request updateRequest) (*updateContext, error) {
	about := request.report
	target := comment.Lock(tx, about, nil)
	owned := database.AskRow(tx, pgx.RowTo[bool], `SELECT api_key_id IS NOT DISTINCT FROM $3::uuid FROM reports WHERE id = `+report.IDSQL, about.Args(key.ID)...)
	repeat := database.AskOptional(tx, pgx.RowToStructByPos[repeatedUpdate], `SELECT id, report_id, content FROM report_comments WHERE api_key_id = $1 AND client_id = $2`, key.ID, request.clientID)
	logged := ledger.AskLogged(tx, uuid.Nil, `(e.report_id, e.seq) = (SELECT report_id, seq FROM report_comments WHERE api_key_id = $1 AND client_id = $2)`, key.ID, request.clientID)
	if err := tx.Flush(ctx); err != nil {
		if gone(err) {
			return nil, errNoRequest
		}
		return nil, fmt.Errorf("lock report for update: %w", err)
	}
	s := &updateContext{Target: target.Get(), repeat: repeat.Get(), logged: logged.Get()}
	switch {
	case s.repeat != nil && (s.repeat.ReportID != s.Report.ID || !database.SameText(s.repeat.Content, request.content)):
		return nil, errUpdateIDReused
	case s.repeat != nil:
		return s, nil
	case s.Report.VisibleTo(reportread.Public()) != nil:
		return nil, errNoRequest
	case s.Hidden && !owned.Get():
		return nil, refused("service_request_id", "it waits for its verdict: until then only the key that sent it may update it")
	}
	return s, nil
}

// gone reports that there is no such report, or that it was withdrawn or removed.
func gone(err error) bool {
	var p *problem.Error
	return errors.As(err, &p) && (p.Kind == problem.NotFound || p.Kind == problem.Gone)
}
