package reports

import (
	"context"

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

// insert has everything that belongs to a new report written in the round trip of the commit. Others wait for their
// number from the statement that gives this one, so nothing is read back; the answer is made here, with a placeholder
// for the number.
func (g *Group) insert(ctx context.Context, tx *outbox.Tx, c identity.Caller, in CreateInput, known *createLookup, pictures []upload.Locked) (CreateResult, error) {
	n := newReport(in, known, pictures)
	shown, err := g.reader.New(ctx, reportread.ViewerOf(c), n)
	if err != nil {
		return CreateResult{}, err
	}
	// First the rows that others may have locked: whoever has a number waits for nobody.
	tx.Queue(`UPDATE users SET reports_count = reports_count + 1 WHERE id = $1`, c.UserID)
	if len(pictures) > 0 {
		upload.Attach(tx, in.uploads)
	}
	number := g.insertReport(tx, in, n)
	for _, image := range n.Images {
		attach(tx, image.ID, n.ID, image.Locked.ID, c.UserID, evidence)
	}
	if err := g.announce(ctx, tx, n); err != nil {
		return CreateResult{}, err
	}
	return CreateResult{number: n.Number, withPlaceholder: shown, givenNumber: number}, nil
}

func newReport(in CreateInput, known *createLookup, pictures []upload.Locked) reportread.New {
	n := reportread.New{
		ID: database.NewID(), Number: report.NewNumber(), ClientID: in.clientID, IssueType: in.issueType, IssueTypeRaw: in.issueTypeRaw,
		Title: in.title, Description: in.description, Severity: report.Medium, Latitude: in.latitude, Longitude: in.longitude,
		Accuracy: in.accuracy, Address: in.address, AIStatus: report.AIQueued, Anonymous: in.anonymous, CapturedAt: in.capturedAt,
		Author: known.author, At: known.now,
	}
	if len(pictures) == 0 {
		n.AIStatus = report.AINeedsReview // nothing to look at for a machine
	}
	if in.severityGuess != nil {
		n.Severity = *in.severityGuess
	}
	for _, picture := range pictures {
		n.Images = append(n.Images, reportread.NewImage{ID: database.NewID(), Locked: picture})
	}
	return n
}

// insertReport writes the report's row and gives it its number, which is the result.
func (g *Group) insertReport(p database.Pipeline, in CreateInput, n reportread.New) *database.Ask[string] {
	const q = `WITH ` + report.NextNumber + `
		INSERT INTO reports (id, report_number, user_id, client_id, content_hash, issue_type, issue_type_raw, title,
			description, severity, severity_guess, priority, latitude, longitude, location_accuracy, address, street, suco,
			district, municipality, municipality_code, ai_status, is_anonymous, created_offline, captured_at, device_info)
		SELECT $2::uuid, report_number, $3::uuid, $4::uuid, $5::bytea, $6, $7, $8, $9, $10, $11, $10, $12::float8, $13::float8, $14::real,
			$15, $16, $17, $18, $19, $20, $21, $22::boolean, $23::boolean, $24::timestamptz, $25::jsonb FROM number
		RETURNING ` + report.KeepNumber
	year := g.clock.Now().In(report.Zone()).Year()
	return database.AskRow(p, pgx.RowTo[string], q, year, n.ID, n.Author.ID, n.ClientID, in.contentHash[:], n.IssueType, n.IssueTypeRaw,
		n.Title, n.Description, n.Severity, in.severityGuess, n.Latitude, n.Longitude, n.Accuracy, n.Address[0], n.Address[1],
		n.Address[2], n.Address[3], n.Address[4], in.municipalityCode, n.AIStatus, n.Anonymous, in.createdOffline, n.CapturedAt, in.deviceInfo)
}

// attach ties an upload to a report.
func attach(p database.Pipeline, id, reportID, uploadID, user uuid.UUID, kind string) {
	const q = `INSERT INTO report_images (id, report_id, upload_id, kind, added_by) VALUES ($1, $2, $3, $4, $5)`
	p.Queue(q, id, reportID, uploadID, kind, user)
}

// announce writes the report's history, its first ledger event and the notification of its reporter, and wakes
// whoever works on it.
func (g *Group) announce(ctx context.Context, tx *outbox.Tx, n reportread.New) error {
	actor := report.Actor{Kind: report.ActorCitizen, UserID: &n.Author.ID}
	reportwrite.History(tx, n.ID, nil, report.Pending, actor, "")
	first := ledger.NewReport{
		State: ledger.State{IssueType: string(n.IssueType), Severity: string(n.Severity), Status: string(report.Pending), Title: n.Title,
			Description: n.Description},
		ID: n.ID, Number: n.Number, Latitude: n.Latitude, Longitude: n.Longitude, CapturedAt: n.CapturedAt,
	}
	if n.IssueTypeRaw != nil {
		first.IssueTypeRaw = *n.IssueTypeRaw
	}
	judged := false
	for _, image := range n.Images {
		if image.DisplayHash != nil {
			first.Images = append(first.Images, image.DisplayHash)
		}
		judged = judged || image.State == upload.Processed
	}
	event := ledger.Event{Type: ledger.Submitted, Actor: ledger.Actor{Kind: string(actor.Kind)}, At: g.clock.Now()}
	if _, err := ledger.NewChain(first).Append(ctx, tx, event); err != nil {
		return err
	}
	err := notification.Add(ctx, tx, notification.New{UserID: n.Author.ID, Type: notification.ReportReceived,
		EventKey: "received:" + n.ID.String(), ReportID: n.ID})
	if err != nil {
		return err
	}
	if err := tx.Send(ctx, queue.Geocode, queue.GeocodeMessage{ReportID: n.ID}); err != nil {
		return err
	}
	// The picture may come before the report or after it; whoever is second wakes validate.
	if judged {
		return tx.Send(ctx, queue.Validate, queue.ValidateMessage{ReportID: n.ID})
	}
	return nil
}
