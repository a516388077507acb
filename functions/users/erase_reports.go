package users

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// eraseReports takes the words out of a person's reports, comments and notes, and writes a CONTENT_ERASED event for each
// report that the person wrote on. What stays is the
// type, the states, the dates, the processed pictures and the place to 4 decimals (about 11 metres), as in the ledger.
// The title becomes the name of the type, in the person's language.
func (g *Group) eraseReports(ctx context.Context, tx *outbox.Tx, user uuid.UUID, l locale.Language) error {
	labels := make(map[report.IssueType]string)
	for _, t := range report.IssueTypes() {
		labels[t], _ = locale.Text(l, "label.issue_type."+string(t), nil)
	}
	raw, err := json.Marshal(labels)
	if err != nil {
		return fmt.Errorf("encode labels: %w", err)
	}
	return ledger.ErasePerson(ctx, tx, user, func(p database.Pipeline) {
		p.Queue(eraseWords, user, string(raw))
		for _, words := range eraseVouched {
			p.Queue(words, user)
		}
	})
}

// eraseVouched blanks the words outside of the person's reports for which ledger events have hashes.
var eraseVouched = []string{
	`UPDATE report_comments SET content = '', client_id = NULL WHERE author_id = $1`,
	`UPDATE report_status_history SET note = NULL WHERE actor_id = $1 AND actor_kind = 'citizen' AND note IS NOT NULL`, // notes as staff stay
}

// eraseWords blanks the words of a person's reports, of every state. The address and the street go
// too: they can name a house. A district or suco stays only if it is a name of the imported boundaries, and the municipality
// is named by its code: the person may have typed anything there. What an administrator wrote about a removal stays.
const eraseWords = `
	UPDATE reports r SET title = coalesce($2::jsonb ->> issue_type, ''), description = '', issue_type_raw = NULL, address = NULL, street = NULL,
	       suco = CASE WHEN ` + report.KnownSucoSQL + ` THEN suco END, district = CASE WHEN ` + report.KnownDistrictSQL + ` THEN district END,
	       municipality = ` + report.MunicipalityNameSQL + `,
	       latitude = round(latitude::numeric, 4)::float8, longitude = round(longitude::numeric, 4)::float8,
	       client_id = NULL, content_hash = '\x', accepted_hashes = NULL, dropped_uploads = NULL, device_info = NULL, appeal_reason = NULL,
	       removal_note = CASE WHEN reason_code IS NOT NULL THEN removal_note END,
	       original_words = CASE WHEN original_words IS NOT NULL THEN '{}'::jsonb END,
	       version = version + 1, updated_at = now()
	 WHERE r.user_id = $1`

// eraseAnswers empties stored answers to requests of staff (Idempotency-Key) that name the person or one of their reports.
// The rows stay, so that a repeated request is not carried out a second time; it gets 410 "answer_erased". The answers to
// citizens name nobody but themselves.
const eraseAnswers = `
	UPDATE idempotency_keys k SET response = '', status = 410 FROM users o
	 WHERE o.role <> 'citizen' AND k.owner = o.id::text AND o.id <> $1 AND k.status IS NOT NULL AND (
	       position(convert_to($1::uuid::text, 'UTF8') IN k.response) > 0 OR EXISTS (
	           SELECT FROM reports r WHERE r.user_id = $1 AND position(convert_to(r.id::text, 'UTF8') IN k.response) > 0))`
