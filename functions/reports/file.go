package reports

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/upload"
)

// filed is what became of a filing.
type filed struct {
	id uuid.UUID
	// repeat: the report was there before
	repeat bool
	// conflict: it was, under the same client_id, with other content; its hash
	conflict []byte
	// report is what was filed, where it is no repeat; its number is there once the transaction has committed.
	report *reportread.Report
}

// file writes a report in w's transaction, or finds the one it repeats. All
// filings of a person take turns, so that the same one sent twice at once is
// one report. It looks around in one round trip; what it writes goes out with the commit.
func (g *Group) file(ctx context.Context, w *outbox.Work, c identity.Caller, f filing) (filed, error) {
	s, err := g.look(ctx, w, c, f)
	if err != nil {
		return filed{}, err
	}
	if s.known.id != uuid.Nil {
		return s.known, nil
	}
	held, err := s.uploads.InOrder()
	if err != nil {
		return filed{}, err
	}
	if id := s.like(held); id != uuid.Nil {
		return filed{id: id, repeat: true}, nil
	}
	if len(held) > f.maxImages {
		return filed{}, problem.New(problem.Conflict, "image_limit").Param("max", strconv.Itoa(f.maxImages))
	}
	for _, h := range held {
		if err := h.Usable(g.clock.Now()); err != nil {
			return filed{}, err
		}
	}
	return g.insert(ctx, w, c, f, s, held)
}

// surroundings are what decides about a filing.
type surroundings struct {
	known   filed         // under its client_id; zero for none
	uploads *upload.Found // that it names
	alike   []alike       // without a client_id: what may be the same, oldest first
	author  reportread.Author
	now     time.Time // of the transaction
}

// alike is a picture of a report that may be the same, or a report without any.
type alike struct {
	report  uuid.UUID
	picture *uuid.UUID
	hash    []byte
}

// like is the oldest report that shows one of the pictures held, or none where none is; uuid.Nil for no such report.
func (s *surroundings) like(held []upload.Held) uuid.UUID {
	for _, a := range s.alike {
		same := a.picture == nil && len(held) == 0
		if a.picture != nil {
			for _, h := range held {
				same = same || h.Same(*a.picture, a.hash)
			}
		}
		if same {
			return a.report
		}
	}
	return uuid.Nil
}

// look takes the person's turn and then reads all there is to know, in one round trip.
func (g *Group) look(ctx context.Context, w *outbox.Work, c identity.Caller, f filing) (*surroundings, error) {
	s := &surroundings{author: reportread.Author{ID: c.UserID}}
	w.Later(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, "filing:"+c.UserID.String())
	batch := &pgx.Batch{}
	if f.clientID != nil {
		queueClientID(batch, c.UserID, f, &s.known)
	} else {
		queueLikeness(batch, c.UserID, f, &s.alike)
	}
	s.uploads = upload.QueueHold(batch, c.UserID, f.uploads)
	const author = `
		SELECT now(), u.full_name, avatar.id FROM users u
		LEFT JOIN uploads avatar ON avatar.id = u.avatar_upload_id AND avatar.state = 'processed' WHERE u.id = $1`
	batch.Queue(author, c.UserID).QueryRow(func(row pgx.Row) error { return row.Scan(&s.now, &s.author.Name, &s.author.Avatar) })
	if err := w.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("look before filing: %w", err)
	}
	return s, nil
}

func queueClientID(b *pgx.Batch, user uuid.UUID, f filing, known *filed) {
	const q = `SELECT id, content_hash FROM reports WHERE user_id = $1 AND client_id = $2`
	b.Queue(q, user, f.clientID).QueryRow(func(row pgx.Row) error {
		var id uuid.UUID
		var hash []byte
		err := row.Scan(&id, &hash)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for client id: %w", err)
		}
		*known = filed{id: id, repeat: true}
		if !bytes.Equal(hash, f.contentHash[:]) {
			known.conflict = hash
		}
		return nil
	})
}

// queueLikeness finds what a phone without client ids sent before: within a day the
// same person, type, place to 5 decimals (about a metre) and picture.
func queueLikeness(b *pgx.Batch, user uuid.UUID, f filing, found *[]alike) {
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
	b.Queue(q, user, f.issueType, f.issueTypeRaw, f.latitude, f.longitude).Query(func(rows pgx.Rows) error {
		var err error
		*found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (alike, error) {
			var a alike
			err := row.Scan(&a.report, &a.picture, &a.hash)
			return a, err
		})
		if err != nil {
			return fmt.Errorf("look for a repeat: %w", err)
		}
		return nil
	})
}
