package reports

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/reportcreate"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/upload"
)

// createLookup is what create reads before it decides.
type createLookup struct {
	repeat  *Repeat           // the report with the client_id; nil where there is none, or none was sent
	similar []similarPicture  // for a request without client_id, oldest report first
	uploads []upload.Locked   // of the request; only those that exist and belong to the person
	author  reportread.Author // the person
	now     time.Time         // of the transaction
}

// similarPicture is a picture of a report that has the same person, type, words and place as the request; a report without
// pictures has one row without upload.
type similarPicture struct {
	Repeat
	Upload *uuid.UUID
	Hash   []byte
}

// sameContent returns the oldest report that has one of the pictures. If there are no pictures, it returns the oldest
// report without any. It returns nil if there is no such report.
func (k *createLookup) sameContent(pictures []picture) *Repeat {
	for _, s := range k.similar {
		same := s.Upload == nil && len(pictures) == 0
		if s.Upload != nil {
			for _, picture := range pictures {
				same = same || picture.Same(*s.Upload, s.Hash)
			}
		}
		if same {
			s.sameContent = true
			return &s.Repeat
		}
	}
	return nil
}

// lookup waits for other requests of the person and reads what create needs to decide, in one round trip.
func lookup(ctx context.Context, tx *outbox.Tx, c identity.Caller, in CreateInput) (*createLookup, error) {
	// The key keeps its old name: functions of an earlier version, which run beside this one during a deploy, take the same lock.
	tx.Queue(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, "filing:"+c.UserID.String())
	repeat := askRepeat(tx, c.UserID, in)
	similar := askSimilar(tx, c.UserID, in)
	uploads := upload.Lock(tx, upload.OfPerson(c.UserID), idsOf(in.uploads, func(u uploadRef) uuid.UUID { return u.ID }))
	const q = `
		SELECT now(), u.full_name, avatar.id FROM users u
		LEFT JOIN uploads avatar ON avatar.id = u.avatar_upload_id AND avatar.state = 'processed' WHERE u.id = $1`
	person := database.AskRow(tx, func(row pgx.CollectableRow) (createLookup, error) {
		found := createLookup{author: reportread.Author{ID: c.UserID}}
		err := row.Scan(&found.now, &found.author.Name, &found.author.Avatar)
		return found, err
	}, q, c.UserID)
	if err := tx.Flush(ctx); err != nil {
		return nil, fmt.Errorf("read before creating a report: %w", err)
	}
	found := person.Get()
	found.repeat, found.similar, found.uploads = repeat.Get(), similar.Get(), uploads.Get()
	return &found, nil
}

// idsOf are the ids of all elements, in their order.
func idsOf[T any](all []T, id func(T) uuid.UUID) []uuid.UUID {
	out := make([]uuid.UUID, len(all))
	for i, element := range all {
		out[i] = id(element)
	}
	return out
}

// askRepeat finds the report that the person created with the client_id of the request: of their own, or for somebody.
func askRepeat(p database.Pipeline, person uuid.UUID, in CreateInput) *database.Ask[*Repeat] {
	if in.Contact != nil {
		return askAssisted(p, person, in)
	}
	return askClientID(p, person, in.ClientID)
}

// askClientID finds the person's report with a client_id, also one that was withdrawn.
func askClientID(p database.Pipeline, person uuid.UUID, clientID *uuid.UUID) *database.Ask[*Repeat] {
	if clientID == nil {
		return database.Derive(func() *Repeat { return nil })
	}
	const q = `SELECT id, deleted_at IS NOT NULL, content_hash, accepted_hashes FROM reports WHERE user_id = $1 AND client_id = $2`
	return database.AskOptional(p, func(row pgx.CollectableRow) (Repeat, error) {
		var r Repeat
		err := row.Scan(&r.ID, &r.Withdrawn, &r.first, &r.accepted)
		return r, err
	}, q, person, clientID)
}

// askSimilar finds reports that a phone without client ids may have sent before. They are of the last 24 hours, by the same
// person, with the same type, the same words and the same place to 5 decimals (about a metre), now or when they were
// created. The result has their pictures.
func askSimilar(p database.Pipeline, person uuid.UUID, in CreateInput) *database.Ask[[]similarPicture] {
	if in.ClientID != nil {
		return database.Derive(func() []similarPicture { return nil })
	}
	mine, more := `r.user_id = $1`, []any(nil)
	if to := in.Contact; to != nil { // for the same person
		mine = `r.id IN (SELECT report_id FROM report_contacts WHERE filed_by = $1 AND created_at > now() - interval '24 hours' AND client_id IS NULL
			AND (full_name, phone_number, email) IS NOT DISTINCT FROM ($9::text, $10::text, $11::citext))`
		more = []any{to.Name, to.Phone, to.Email}
	}
	q := `
		SELECT r.id, r.content_hash, r.accepted_hashes, p.id, coalesce(p.original_sha256, p.sha256)
		FROM reports r
		LEFT JOIN report_images i ON i.report_id = r.id AND i.kind = 'evidence' AND i.deleted_at IS NULL
		LEFT JOIN uploads p ON p.id = i.upload_id
		WHERE ` + mine + ` AND r.created_at > now() - interval '24 hours' AND r.deleted_at IS NULL AND r.client_id IS NULL
		  AND (r.accepted_hashes @> ARRAY[$8::bytea] OR
		       r.issue_type = $2 AND normalize(r.issue_type_raw) IS NOT DISTINCT FROM normalize($3) AND normalize(r.title) = normalize($4) AND normalize(r.description) = normalize($5)
		       AND round(r.latitude::numeric, 5) = round($6::float8::numeric, 5)
		       AND round(r.longitude::numeric, 5) = round($7::float8::numeric, 5))
		ORDER BY r.created_at, r.id`
	hash := in.AcceptedHash()
	return database.AskRows(p, func(row pgx.CollectableRow) (similarPicture, error) {
		var s similarPicture
		err := row.Scan(&s.ID, &s.first, &s.accepted, &s.Upload, &s.Hash)
		return s, err
	}, q, append([]any{person, in.IssueType, in.IssueTypeRaw, in.Title, in.Description, in.Latitude, in.Longitude, hash[:]}, more...)...)
}

// insert queues everything that belongs to a new report; see reportcreate.Insert. The answer is made here, with a placeholder for
// the number.
func (g *Group) insert(ctx context.Context, tx *outbox.Tx, c identity.Caller, in CreateInput, found *createLookup, pictures []upload.Locked) (CreateResult, error) {
	owner := reportcreate.Owner{Caller: c, Author: found.author}
	n := reportcreate.New(owner, in.Input, pictures, found.now)
	shown, err := g.reader.NewReport(ctx, reportread.ViewerOf(c), n)
	if err != nil {
		return CreateResult{}, err
	}
	result, err := reportcreate.Insert(ctx, tx, owner, in.Input, n, dropped(in.uploads, pictures), g.clock.Now())
	if err != nil {
		return CreateResult{}, err
	}
	shown.Receipt = ledger.Mark(n.Number.Placeholder(), result.Entry.Seq)
	return CreateResult{number: n.Number, withPlaceholder: shown, inserted: result, assisted: in.Contact != nil}, nil
}

// maxDropped is the most uploads that are kept as dropped ones.
const maxDropped = 20

// dropped are the uploads that the request names and the report does not get, at most maxDropped; nil for none.
func dropped(named []uploadRef, taken []upload.Locked) []uuid.UUID {
	var out []uuid.UUID
	for _, ref := range named {
		if !slices.ContainsFunc(taken, func(u upload.Locked) bool { return u.ID == ref.ID }) {
			out = append(out, ref.ID)
		}
	}
	return out[:min(len(out), maxDropped)]
}
