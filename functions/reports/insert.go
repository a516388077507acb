package reports

import (
	"context"
	"fmt"
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

// insert has everything that belongs to a new report written together with the commit: from the report's number on,
// others wait for theirs, so nothing is read back and nothing goes to and fro. What the answer shows is made here.
func (g *Group) insert(ctx context.Context, w *outbox.Work, c identity.Caller, f filing, s *surroundings, held []upload.Held) (filed, error) {
	n := reportread.Fresh{
		ID: database.NewID(), ClientID: f.clientID, IssueType: f.issueType, IssueTypeRaw: f.issueTypeRaw, Title: f.title,
		Description: f.description, Severity: report.Medium, Latitude: f.latitude, Longitude: f.longitude, Accuracy: f.accuracy,
		Address: f.address, AIStatus: report.AIQueued, Anonymous: f.anonymous, CapturedAt: f.capturedAt, Author: s.author, At: s.now,
	}
	if len(held) == 0 {
		n.AIStatus = report.AINeedsReview // nothing to look at for a machine
	}
	if f.severityGuess != nil {
		n.Severity = *f.severityGuess
	}
	for _, h := range held {
		n.Images = append(n.Images, reportread.FreshImage{ID: database.NewID(), Held: h})
	}
	shown, err := g.reader.Fresh(ctx, reportread.ViewerOf(c), n)
	if err != nil {
		return filed{}, err
	}
	// Before the number what may have to be waited for.
	w.Later(`UPDATE users SET reports_count = reports_count + 1 WHERE id = $1`, c.UserID)
	if len(held) > 0 {
		upload.Attach(w, f.uploads)
	}
	g.insertReport(w, f, n, &shown.ReportNumber)
	for _, image := range n.Images {
		attach(w, image.ID, n.ID, image.Held.ID, c.UserID, evidence)
	}
	return filed{id: n.ID, report: &shown}, announce(ctx, w, n, g.clock.Now())
}

func (g *Group) insertReport(w *outbox.Work, f filing, n reportread.Fresh, number *string) {
	const q = `WITH ` + report.NextNumber + `
		INSERT INTO reports (id, report_number, user_id, client_id, content_hash, issue_type, issue_type_raw, title,
			description, severity, severity_guess, priority, latitude, longitude, location_accuracy, address, street, suco,
			district, municipality, municipality_code, ai_status, is_anonymous, created_offline, captured_at, device_info)
		SELECT $2::uuid, report_number, $3::uuid, $4::uuid, $5::bytea, $6, $7, $8, $9, $10, $11, $10, $12::float8, $13::float8, $14::real,
			$15, $16, $17, $18, $19, $20, $21, $22::boolean, $23::boolean, $24::timestamptz, $25::jsonb FROM number
		RETURNING report_number`
	year := g.clock.Now().In(report.Zone()).Year()
	w.Later(q, year, n.ID, n.Author.ID, n.ClientID, f.contentHash[:], n.IssueType, n.IssueTypeRaw, n.Title,
		n.Description, n.Severity, f.severityGuess, n.Latitude, n.Longitude, n.Accuracy, n.Address[0], n.Address[1],
		n.Address[2], n.Address[3], n.Address[4], f.municipalityCode, n.AIStatus, n.Anonymous, f.createdOffline, n.CapturedAt, f.deviceInfo,
	).QueryRow(func(row pgx.Row) error {
		if err := row.Scan(number); err != nil {
			return fmt.Errorf("insert report: %w", err)
		}
		return nil
	})
}

// attach ties an upload to a report.
func attach(w *outbox.Work, id, reportID, uploadID, user uuid.UUID, kind string) {
	const q = `INSERT INTO report_images (id, report_id, upload_id, kind, added_by) VALUES ($1, $2, $3, $4, $5)`
	w.Later(q, id, reportID, uploadID, kind, user)
}

// announce writes down that a report was filed and wakes whoever works on it.
func announce(ctx context.Context, w *outbox.Work, n reportread.Fresh, now time.Time) error {
	actor := report.Actor{Kind: report.ActorCitizen, UserID: &n.Author.ID}
	reportwrite.History(w, n.ID, nil, report.Pending, actor, "")
	first := ledger.Submission{
		State: ledger.State{IssueType: string(n.IssueType), Severity: string(n.Severity), Status: string(report.Pending), Title: n.Title,
			Description: n.Description},
		ReportID: n.ID, Latitude: n.Latitude, Longitude: n.Longitude, CapturedAt: n.CapturedAt,
		Actor: ledger.Actor{Kind: string(actor.Kind)}, At: now,
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
	if err := ledger.Submit(ctx, w, first); err != nil {
		return err
	}
	err := notification.Add(ctx, w, notification.New{UserID: n.Author.ID, Type: notification.ReportReceived,
		EventKey: "received:" + n.ID.String(), ReportID: n.ID})
	if err != nil {
		return err
	}
	if err := w.Send(ctx, queue.Geocode, queue.GeocodeMessage{ReportID: n.ID}); err != nil {
		return err
	}
	// The picture may come before the report or after it; whoever is second wakes validate.
	if judged {
		return w.Send(ctx, queue.Validate, queue.ValidateMessage{ReportID: n.ID})
	}
	return nil
}
