package reportcreate

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/upload"
)

// Owner is whom a new report belongs to: the person who sends it, or the API key of another system. A report that staff file for somebody
// else (Input.Contact) has no reporter at first, and one of another system never has.
type Owner struct {
	Caller identity.Caller   // the person; the zero Caller for another system
	Author reportread.Author // the same person, as others see them
	Key    *uuid.UUID        // the API key; nil for a person
}

// user is the person; nil for another system.
func (o Owner) user() *uuid.UUID {
	if o.Key != nil {
		return nil
	}
	return &o.Caller.UserID
}

// New returns the report that in becomes, with its pictures. At is the time of the transaction.
func New(o Owner, in Input, pictures []upload.Locked, at time.Time) reportread.NewReport {
	n := reportread.NewReport{
		ID: database.NewID(), Number: report.NewNumber(), ClientID: in.ClientID, IssueType: in.IssueType, IssueTypeRaw: in.IssueTypeRaw,
		Title: in.Title, Description: in.Description, Severity: report.Medium, Latitude: in.Latitude, Longitude: in.Longitude,
		Accuracy: in.Accuracy, Address: in.Address, AIStatus: report.AIQueued, Anonymous: in.Anonymous, CapturedAt: in.CapturedAt,
		Source: in.Source, MunicipalityCode: in.MunicipalityCode, Author: o.Author, By: report.ActorCitizen, At: at,
	}
	if in.Contact != nil && o.Key == nil { // without a reporter until the person confirms the address
		n.ClientID, n.Author, n.By = nil, reportread.Author{}, report.ActorOf(o.Caller).Kind
	}
	if len(pictures) == 0 {
		n.AIStatus = report.AINeedsReview // the AI has nothing to look at
	}
	if in.SeverityGuess != nil {
		n.Severity = *in.SeverityGuess
	}
	for _, picture := range pictures {
		n.Images = append(n.Images, reportread.NewImage{ID: database.NewID(), Locked: picture})
	}
	return n
}

// Result is what is known of a new report after the commit.
type Result struct {
	Number *database.Ask[string]
	Entry  *ledger.NewEntry // its first event
}

// Insert queues everything that belongs to a new report; it is written in the round trip of the commit. All other creates
// wait from the statement that waits for the number until the commit. So nothing is read after that statement. Dropped are the uploads
// that the request names and the report does not get. Now decides the year of the number.
func Insert(ctx context.Context, tx *outbox.Tx, o Owner, in Input, n reportread.NewReport, dropped []uuid.UUID, now time.Time) (Result, error) {
	// First the rows that other transactions may have locked: after WaitForNumber nothing else may wait.
	switch {
	case o.Key != nil:
		tx.Queue(`SELECT FROM api_keys WHERE id = $1 FOR KEY SHARE`, o.Key)
	case in.Contact != nil:
		tx.Queue(`SELECT FROM users WHERE id = $1 FOR KEY SHARE`, o.Caller.UserID)
	default:
		tx.Queue(`UPDATE users SET reports_count = reports_count + 1 WHERE id = $1`, o.Caller.UserID)
	}
	if len(n.Images) > 0 {
		var ids []uuid.UUID
		for _, image := range n.Images {
			ids = append(ids, image.Locked.ID)
		}
		upload.Attach(tx, ids)
	}
	report.WaitForNumber(tx)
	number := insertReport(tx, o, in, n, dropped, now)
	for _, image := range n.Images {
		reportwrite.AttachImage(tx, image.ID, n.ID, image.Locked.ID, o.user(), reportwrite.Evidence)
	}
	entry, err := announce(ctx, tx, o, in, n)
	return Result{Number: number, Entry: entry}, err
}

// insertReport writes the report's row and assigns its number, which is the result.
func insertReport(p database.Pipeline, o Owner, in Input, n reportread.NewReport, dropped []uuid.UUID, now time.Time) *database.Ask[string] {
	const q = `WITH ` + report.NextNumber + `
		INSERT INTO reports (id, report_number, user_id, client_id, content_hash, issue_type, issue_type_raw, title,
			description, severity, severity_guess, priority, latitude, longitude, location_accuracy, address, street, suco,
			district, municipality, municipality_code, ai_status, is_anonymous, created_offline, captured_at, device_info,
			accepted_hashes, dropped_uploads, source, api_key_id)
		SELECT $2::uuid, report_number, $3::uuid, $4::uuid, $5::bytea, $6, $7, $8, $9, $10, $11, $10, $12::float8, $13::float8, $14::real,
			$15, $16, $17, $18, $19, $20, $21, $22::boolean, $23::boolean, $24::timestamptz, $25::jsonb,
			ARRAY[$26::bytea], $27::uuid[], $28::text, $29::uuid FROM number
		RETURNING ` + report.KeepNumber
	year, accepted := now.In(report.Zone()).Year(), in.AcceptedHash()
	return database.AskRow(p, pgx.RowTo[string], q, year, n.ID, n.Author.Known(), n.ClientID, in.ContentHash[:], n.IssueType, n.IssueTypeRaw,
		n.Title, n.Description, n.Severity, in.SeverityGuess, n.Latitude, n.Longitude, n.Accuracy, n.Address.Address, n.Address.Street,
		n.Address.Suco, n.Address.District, n.Address.Municipality, in.MunicipalityCode, n.AIStatus, n.Anonymous, in.CreatedOffline, n.CapturedAt, in.DeviceInfo,
		accepted[:], dropped, n.Source, o.Key)
}

// announce writes the report's history, its first ledger event, what its sender is told and the messages to the workers. It returns the entry of the event.
func announce(ctx context.Context, tx *outbox.Tx, o Owner, in Input, n reportread.NewReport) (*ledger.NewEntry, error) {
	actor := report.Actor{Kind: n.By, UserID: o.user()}
	event := ledger.Event{Type: ledger.Submitted, Actor: ledger.Actor{Kind: string(actor.Kind)}, At: n.At}
	entry, err := ledger.NewChain(ledger.NewReport{State: stateOf(o, n), ID: n.ID, Number: n.Number}).Append(ctx, tx, event)
	if err != nil {
		return nil, err
	}
	reportwrite.History(tx, n.ID, nil, report.Pending, actor, "", entry.Seq)
	if err := tellSender(ctx, tx, o, in, n); err != nil {
		return nil, err
	}
	if err := tx.Send(ctx, queue.Geocode, queue.GeocodeMessage{ReportID: n.ID}); err != nil {
		return nil, err
	}
	// A picture may be processed before its report is created, or after. The later of the two sends the message to validate.
	if slices.ContainsFunc(n.Images, func(i reportread.NewImage) bool { return i.State == upload.Processed }) {
		return entry, tx.Send(ctx, queue.Validate, queue.ValidateMessage{ReportID: n.ID})
	}
	return entry, nil
}

// tellSender notifies the reporter that the report is received, or writes down whom the report is for.
func tellSender(ctx context.Context, tx *outbox.Tx, o Owner, in Input, n reportread.NewReport) error {
	switch {
	case o.Key != nil:
		insertSystemContact(tx, in.Contact, n.ID)
		return nil
	case in.Contact != nil:
		return insertContact(ctx, tx, o, in, n)
	}
	return notification.Add(ctx, tx, notification.New{UserID: n.Author.ID, Type: notification.ReportReceived,
		EventKey: "received:" + n.ID.String(), ReportID: n.ID})
}

// stateOf is the state that the first event of n records.
func stateOf(o Owner, n reportread.NewReport) ledger.State {
	s := ledger.State{
		IssueType: string(n.IssueType), Status: string(report.Pending), Severity: string(n.Severity), Priority: string(n.Severity),
		Source: string(n.Source), Anonymous: n.Anonymous, CreatedAt: n.At, Title: n.Title, Description: n.Description,
		Latitude: n.Latitude, Longitude: n.Longitude, CapturedAt: n.CapturedAt, Author: n.Author.Known(), Address: n.Address.Address,
		LocationAccuracy: reportread.SinglePrecision(n.Accuracy), Street: n.Address.Street, Suco: n.Address.Suco, District: n.Address.District, Municipality: n.Address.Municipality,
	}
	if o.Key != nil {
		s.Author = o.Key
	}
	if n.MunicipalityCode != nil {
		s.MunicipalityCode = *n.MunicipalityCode
	}
	if n.IssueTypeRaw != nil {
		s.IssueTypeRaw = *n.IssueTypeRaw
	}
	for _, image := range n.Images {
		if image.DisplayHash != nil {
			s.Pictures = append(s.Pictures, ledger.Picture{Display: image.DisplayHash, Thumbnail: image.ThumbnailHash})
		}
	}
	return s
}
