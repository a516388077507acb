package reports

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/upload"
)

// Repeat is the existing report that a request repeats.
type Repeat struct {
	ID uuid.UUID
	// Conflict is the content hash of the existing report where it has the same client_id and other content; else nil.
	Conflict []byte
}

// createLookup is what decides about a request to create a report.
type createLookup struct {
	byClientID *Repeat           // nil where no report has the client_id, or none was sent
	similar    []similarPicture  // for a request without client_id, oldest report first
	uploads    []upload.Locked   // that the request names and that are the person's
	author     reportread.Author // the person
	now        time.Time         // of the transaction
}

// similarPicture is a picture of a report that has the same person, type and place as the request; a report without
// pictures has one row without upload.
type similarPicture struct {
	Report uuid.UUID
	Upload *uuid.UUID
	Hash   []byte
}

// sameContent returns the oldest report that shows one of the pictures, or has none where there are none; nil for no
// such report.
func (k *createLookup) sameContent(pictures []upload.Locked) *Repeat {
	for _, s := range k.similar {
		same := s.Upload == nil && len(pictures) == 0
		if s.Upload != nil {
			for _, picture := range pictures {
				same = same || picture.Same(*s.Upload, s.Hash)
			}
		}
		if same {
			return &Repeat{ID: s.Report}
		}
	}
	return nil
}

// lookup waits for other requests of the person and reads what decides, in one round trip.
func lookup(ctx context.Context, tx *outbox.Tx, c identity.Caller, in CreateInput) (*createLookup, error) {
	// The key keeps its old name: functions of an earlier version, which run beside this one during a deploy, take the same lock.
	tx.Queue(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, "filing:"+c.UserID.String())
	repeat := askClientID(tx, c.UserID, in)
	similar := askSimilar(tx, c.UserID, in)
	uploads := upload.Lock(tx, c.UserID, in.uploads)
	const q = `
		SELECT now(), u.full_name, avatar.id FROM users u
		LEFT JOIN uploads avatar ON avatar.id = u.avatar_upload_id AND avatar.state = 'processed' WHERE u.id = $1`
	person := database.AskRow(tx, func(row pgx.CollectableRow) (createLookup, error) {
		known := createLookup{author: reportread.Author{ID: c.UserID}}
		err := row.Scan(&known.now, &known.author.Name, &known.author.Avatar)
		return known, err
	}, q, c.UserID)
	if err := tx.Flush(ctx); err != nil {
		return nil, fmt.Errorf("look before creating a report: %w", err)
	}
	known := person.Get()
	known.byClientID, known.similar, known.uploads = repeat.Get(), similar.Get(), uploads.Get()
	return &known, nil
}

// askClientID looks for the person's report with the request's client_id.
func askClientID(p database.Pipeline, person uuid.UUID, in CreateInput) *database.Ask[*Repeat] {
	if in.clientID == nil {
		return database.Derive(func() *Repeat { return nil })
	}
	const q = `SELECT id, content_hash FROM reports WHERE user_id = $1 AND client_id = $2`
	return database.AskOptional(p, func(row pgx.CollectableRow) (Repeat, error) {
		var r Repeat
		var hash []byte
		err := row.Scan(&r.ID, &hash)
		if !bytes.Equal(hash, in.contentHash[:]) {
			r.Conflict = hash
		}
		return r, err
	}, q, person, in.clientID)
}

// askSimilar looks for what a phone without client ids sent before: within a day the
// same person, type and place to 5 decimals (about a metre), with their pictures.
func askSimilar(p database.Pipeline, person uuid.UUID, in CreateInput) *database.Ask[[]similarPicture] {
	if in.clientID != nil {
		return database.Derive(func() []similarPicture { return nil })
	}
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
	return database.AskRows(p, pgx.RowToStructByPos[similarPicture], q, person, in.issueType, in.issueTypeRaw, in.latitude, in.longitude)
}
