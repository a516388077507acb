package reports

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ids"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/upload"
)

// filed is what became of a filing.
type filed struct {
	id uuid.UUID
	// repeat: the report was there before
	repeat bool
	// conflict: it was, under the same client_id, with other content; its hash
	conflict []byte
}

// file writes a report in w's transaction, or finds the one it repeats. All
// filings of a person take turns, so that the same one sent twice at once is
// one report.
func (g *Group) file(ctx context.Context, w *outbox.Work, c identity.Caller, f filing) (filed, error) {
	if _, err := w.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, "filing:"+c.UserID.String()); err != nil {
		return filed{}, fmt.Errorf("take turn: %w", err)
	}
	if f.clientID != nil {
		if found, err := byClientID(ctx, w, c.UserID, f); err != nil || found.id != uuid.Nil {
			return found, err
		}
	}
	held, err := upload.Hold(ctx, w, c.UserID, f.uploads)
	if err != nil {
		return filed{}, err
	}
	if f.clientID == nil {
		if id, err := byLikeness(ctx, w, c.UserID, f, held); err != nil || id != uuid.Nil {
			return filed{id: id, repeat: true}, err
		}
	}
	limits, err := g.settings.Current(ctx)
	if err != nil {
		return filed{}, err
	}
	if len(held) > limits.EvidenceImages {
		return filed{}, problem.New(problem.Conflict, "image_limit").Param("max", strconv.Itoa(limits.EvidenceImages))
	}
	for _, h := range held {
		if err := h.Usable(g.clock.Now()); err != nil {
			return filed{}, err
		}
	}
	id, err := g.insert(ctx, w, c, f, held)
	return filed{id: id}, err
}

func byClientID(ctx context.Context, w *outbox.Work, user uuid.UUID, f filing) (filed, error) {
	var id uuid.UUID
	var hash []byte
	const q = `SELECT id, content_hash FROM reports WHERE user_id = $1 AND client_id = $2`
	err := w.QueryRow(ctx, q, user, f.clientID).Scan(&id, &hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return filed{}, nil
	}
	if err != nil {
		return filed{}, fmt.Errorf("look for client id: %w", err)
	}
	out := filed{id: id, repeat: true}
	if !bytes.Equal(hash, f.contentHash[:]) {
		out.conflict = hash
	}
	return out, nil
}

// byLikeness finds what a phone without client ids sent before: within a day the
// same person, type, place to 5 decimals (about a metre) and picture.
func byLikeness(ctx context.Context, w *outbox.Work, user uuid.UUID, f filing, held []upload.Held) (uuid.UUID, error) {
	const q = `
		SELECT r.id, p.id, coalesce(p.original_sha256, p.sha256)
		FROM reports r
		LEFT JOIN report_images i ON i.report_id = r.id AND i.kind = 'evidence' AND i.deleted_at IS NULL
		LEFT JOIN uploads p ON p.id = i.upload_id
		WHERE r.user_id = $1 AND r.created_at > now() - interval '24 hours' AND r.deleted_at IS NULL AND r.client_id IS NULL
		  AND r.issue_type = $2 AND r.issue_type_raw IS NOT DISTINCT FROM $3
		  AND round(r.latitude::numeric, 5) = round($4::float8::numeric, 5)
		  AND round(r.longitude::numeric, 5) = round($5::float8::numeric, 5)
		ORDER BY r.created_at, r.id`
	rows, err := w.Query(ctx, q, user, f.issueType, f.issueTypeRaw, f.latitude, f.longitude)
	if err != nil {
		return uuid.Nil, fmt.Errorf("look for a repeat: %w", err)
	}
	var id, found uuid.UUID
	var picture *uuid.UUID
	var hash []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &picture, &hash}, func() error {
		same := picture == nil && len(held) == 0
		if picture != nil {
			for _, h := range held {
				same = same || h.Same(*picture, hash)
			}
		}
		if same && found == uuid.Nil {
			found = id
		}
		return nil
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("look for a repeat: %w", err)
	}
	return found, nil
}

func (g *Group) insert(ctx context.Context, w *outbox.Work, c identity.Caller, f filing, held []upload.Held) (uuid.UUID, error) {
	id := ids.New()
	aiStatus := report.AIQueued
	if len(held) == 0 {
		aiStatus = report.AINeedsReview // nothing to look at for a machine
	}
	var code *string
	if f.address[4] != nil {
		if known, ok, err := g.municipalities.Code(ctx, *f.address[4]); err != nil {
			return uuid.Nil, err
		} else if ok {
			code = &known
		}
	}
	severity := report.Medium
	if f.severityGuess != nil {
		severity = *f.severityGuess
	}
	number, err := report.NextNumber(ctx, w, g.clock.Now().In(report.Zone()).Year())
	if err != nil {
		return uuid.Nil, err
	}
	const q = `
		INSERT INTO reports (id, report_number, user_id, client_id, content_hash, issue_type, issue_type_raw, title,
			description, severity, severity_guess, priority, latitude, longitude, location_accuracy, address, street, suco,
			district, municipality, municipality_code, ai_status, is_anonymous, created_offline, captured_at, device_info)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
			$23, $24, $25)`
	_, err = w.Exec(ctx, q, id, number, c.UserID, f.clientID, f.contentHash[:], f.issueType, f.issueTypeRaw, f.title,
		f.description, severity, f.severityGuess, f.latitude, f.longitude, f.accuracy, f.address[0], f.address[1],
		f.address[2], f.address[3], f.address[4], code, aiStatus, f.anonymous, f.createdOffline, f.capturedAt, f.deviceInfo)
	if err != nil {
		return uuid.Nil, fmt.Errorf("insert report: %w", err)
	}
	if err := attach(ctx, w, id, c.UserID, "evidence", held); err != nil {
		return uuid.Nil, err
	}
	return id, g.announce(ctx, w, c, id, number, held)
}

// attach ties uploads to a report, in order.
func attach(ctx context.Context, w *outbox.Work, reportID, user uuid.UUID, kind string, held []upload.Held) error {
	uploads := make([]uuid.UUID, len(held))
	const q = `INSERT INTO report_images (id, report_id, upload_id, kind, added_by) VALUES ($1, $2, $3, $4, $5)`
	for i, h := range held {
		uploads[i] = h.ID
		if _, err := w.Exec(ctx, q, ids.New(), reportID, h.ID, kind, user); err != nil {
			return fmt.Errorf("attach image: %w", err)
		}
	}
	if len(uploads) == 0 {
		return nil
	}
	return upload.Attach(ctx, w, uploads)
}

// announce writes down that a report was filed and wakes whoever works on it.
func (g *Group) announce(ctx context.Context, w *outbox.Work, c identity.Caller, id uuid.UUID, number string, held []upload.Held) error {
	actor := report.Actor{Kind: report.ActorCitizen, UserID: &c.UserID}
	if _, err := report.History(ctx, w, id, nil, report.Pending, actor, ""); err != nil {
		return err
	}
	if _, err := w.Exec(ctx, `UPDATE users SET reports_count = reports_count + 1 WHERE id = $1`, c.UserID); err != nil {
		return fmt.Errorf("count report: %w", err)
	}
	if err := report.Event(ctx, w, ledger.Event{ReportID: id, Type: ledger.Submitted, At: g.clock.Now()}, actor); err != nil {
		return err
	}
	err := notification.Add(ctx, w, notification.New{UserID: c.UserID, Type: notification.ReportReceived,
		EventKey: "received:" + id.String(), ReportID: id, Params: map[string]string{notification.ParamReportNumber: number}})
	if err != nil {
		return err
	}
	if err := w.Send(ctx, queue.Geocode, queue.GeocodeMessage{ReportID: id}); err != nil {
		return err
	}
	// The picture may come before the report or after it; whoever is second wakes validate.
	for _, h := range held {
		if h.State == upload.Processed {
			return w.Send(ctx, queue.Validate, queue.ValidateMessage{ReportID: id})
		}
	}
	return nil
}

// conflictOf is the answer to other content under a known client_id.
func conflictOf(f filing, stored []byte) *problem.Error {
	return problem.New(problem.Conflict, "client_id_conflict").
		With("stored_hash", hex.EncodeToString(stored)).With("sent_hash", hex.EncodeToString(f.contentHash[:]))
}
