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
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
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
	uploads := upload.Lock(tx, c.UserID, idsOf(in.uploads, func(u uploadRef) uuid.UUID { return u.ID }))
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
	if in.contact != nil {
		return askAssisted(p, person, in)
	}
	return askClientID(p, person, in.clientID)
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
	if in.clientID != nil {
		return database.Derive(func() []similarPicture { return nil })
	}
	mine, more := `r.user_id = $1`, []any(nil)
	if to := in.contact; to != nil { // for the same person
		mine = `r.id IN (SELECT report_id FROM report_contacts WHERE filed_by = $1 AND created_at > now() - interval '24 hours' AND client_id IS NULL
			AND (full_name, phone_number, email) IS NOT DISTINCT FROM ($9::text, $10::text, $11::citext))`
		more = []any{to.name, to.phone, to.email}
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
	hash := in.acceptedHash()
	return database.AskRows(p, func(row pgx.CollectableRow) (similarPicture, error) {
		var s similarPicture
		err := row.Scan(&s.ID, &s.first, &s.accepted, &s.Upload, &s.Hash)
		return s, err
	}, q, append([]any{person, in.issueType, in.issueTypeRaw, in.title, in.description, in.latitude, in.longitude, hash[:]}, more...)...)
}

// insert queues everything that belongs to a new report; it is written in the round trip of the commit. All other creates
// wait from the statement that assigns the number until the commit. So nothing is read after that statement: the answer is
// made here, with a placeholder for the number.
func (g *Group) insert(ctx context.Context, tx *outbox.Tx, c identity.Caller, in CreateInput, found *createLookup, pictures []upload.Locked) (CreateResult, error) {
	n := newReport(in, found, pictures)
	n.By = report.ActorCitizen
	if in.contact != nil {
		n.By = report.ActorOf(c).Kind
	}
	shown, err := g.reader.NewReport(ctx, reportread.ViewerOf(c), n)
	if err != nil {
		return CreateResult{}, err
	}
	// First the rows that other transactions may have locked: after the number is assigned nothing may wait.
	if in.contact == nil {
		tx.Queue(`UPDATE users SET reports_count = reports_count + 1 WHERE id = $1`, c.UserID)
	} else {
		tx.Queue(`SELECT FROM users WHERE id = $1 FOR KEY SHARE`, c.UserID)
	}
	if len(pictures) > 0 {
		upload.Attach(tx, idsOf(pictures, func(u upload.Locked) uuid.UUID { return u.ID }))
	}
	number := g.insertReport(tx, in, n, dropped(in.uploads, pictures))
	for _, image := range n.Images {
		attach(tx, image.ID, n.ID, image.Locked.ID, c.UserID, evidence)
	}
	entry, err := g.announce(ctx, tx, c, in, n)
	if err != nil {
		return CreateResult{}, err
	}
	shown.Receipt = ledger.Mark(n.Number.Placeholder(), entry.Seq)
	return CreateResult{number: n.Number, withPlaceholder: shown, givenNumber: number, entry: entry, assisted: in.contact != nil}, nil
}

func newReport(in CreateInput, found *createLookup, pictures []upload.Locked) reportread.NewReport {
	n := reportread.NewReport{
		ID: database.NewID(), Number: report.NewNumber(), ClientID: in.clientID, IssueType: in.issueType, IssueTypeRaw: in.issueTypeRaw,
		Title: in.title, Description: in.description, Severity: report.Medium, Latitude: in.latitude, Longitude: in.longitude,
		Accuracy: in.accuracy, Address: in.address, AIStatus: report.AIQueued, Anonymous: in.anonymous, CapturedAt: in.capturedAt,
		Source: in.source, MunicipalityCode: in.municipalityCode, Author: found.author, At: found.now,
	}
	if in.contact != nil {
		n.ClientID, n.Author = nil, reportread.Author{} // of staff, until the person confirms the address
	}
	if len(pictures) == 0 {
		n.AIStatus = report.AINeedsReview // the AI has nothing to look at
	}
	if in.severityGuess != nil {
		n.Severity = *in.severityGuess
	}
	for _, picture := range pictures {
		n.Images = append(n.Images, reportread.NewImage{ID: database.NewID(), Locked: picture})
	}
	return n
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

// insertReport writes the report's row and assigns its number, which is the result.
func (g *Group) insertReport(p database.Pipeline, in CreateInput, n reportread.NewReport, dropped []uuid.UUID) *database.Ask[string] {
	const q = `WITH ` + report.NextNumber + `
		INSERT INTO reports (id, report_number, user_id, client_id, content_hash, issue_type, issue_type_raw, title,
			description, severity, severity_guess, priority, latitude, longitude, location_accuracy, address, street, suco,
			district, municipality, municipality_code, ai_status, is_anonymous, created_offline, captured_at, device_info,
			accepted_hashes, dropped_uploads, source)
		SELECT $2::uuid, report_number, $3::uuid, $4::uuid, $5::bytea, $6, $7, $8, $9, $10, $11, $10, $12::float8, $13::float8, $14::real,
			$15, $16, $17, $18, $19, $20, $21, $22::boolean, $23::boolean, $24::timestamptz, $25::jsonb,
			ARRAY[$26::bytea], $27::uuid[], $28::text FROM number
		RETURNING ` + report.KeepNumber
	year, accepted := g.clock.Now().In(report.Zone()).Year(), in.acceptedHash()
	return database.AskRow(p, pgx.RowTo[string], q, year, n.ID, n.Author.Known(), n.ClientID, in.contentHash[:], n.IssueType, n.IssueTypeRaw,
		n.Title, n.Description, n.Severity, in.severityGuess, n.Latitude, n.Longitude, n.Accuracy, n.Address.Address, n.Address.Street,
		n.Address.Suco, n.Address.District, n.Address.Municipality, in.municipalityCode, n.AIStatus, n.Anonymous, in.createdOffline, n.CapturedAt, in.deviceInfo,
		accepted[:], dropped, n.Source)
}

// attach adds an upload to the pictures of a report.
func attach(p database.Pipeline, id, reportID, uploadID, user uuid.UUID, kind string) {
	const q = `INSERT INTO report_images (id, report_id, upload_id, kind, added_by) VALUES ($1, $2, $3, $4, $5)`
	p.Queue(q, id, reportID, uploadID, kind, user)
}

// announce writes the report's history, its first ledger event, the notification of its reporter and the messages to the
// workers. It returns the entry of the event.
func (g *Group) announce(ctx context.Context, tx *outbox.Tx, c identity.Caller, in CreateInput, n reportread.NewReport) (*ledger.NewEntry, error) {
	actor := report.Actor{Kind: n.By, UserID: &c.UserID}
	event := ledger.Event{Type: ledger.Submitted, Actor: ledger.Actor{Kind: string(actor.Kind)}, At: n.At}
	entry, err := ledger.NewChain(ledger.NewReport{State: stateOf(n), ID: n.ID, Number: n.Number}).Append(ctx, tx, event)
	if err != nil {
		return nil, err
	}
	reportwrite.History(tx, n.ID, nil, report.Pending, actor, "", entry.Seq)
	if in.contact != nil {
		err = g.fileFor(ctx, tx, c, in, n)
	} else {
		err = notification.Add(ctx, tx, notification.New{UserID: n.Author.ID, Type: notification.ReportReceived,
			EventKey: "received:" + n.ID.String(), ReportID: n.ID})
	}
	if err != nil {
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

// stateOf is the state that the first event of n records.
func stateOf(n reportread.NewReport) ledger.State {
	s := ledger.State{
		IssueType: string(n.IssueType), Status: string(report.Pending), Severity: string(n.Severity), Priority: string(n.Severity),
		Source: string(n.Source), Anonymous: n.Anonymous, CreatedAt: n.At, Title: n.Title, Description: n.Description,
		Latitude: n.Latitude, Longitude: n.Longitude, CapturedAt: n.CapturedAt, Author: n.Author.Known(), Address: n.Address.Address,
		LocationAccuracy: reportread.SinglePrecision(n.Accuracy), Street: n.Address.Street, Suco: n.Address.Suco, District: n.Address.District, Municipality: n.Address.Municipality,
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
