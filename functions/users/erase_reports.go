package users

import (
	"context"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// eraseReports takes the words out of a person's reports, comments and notes, and writes a CONTENT_ERASED event for each
// report that the person wrote on. What stays is the
// type, the states, the dates, the processed pictures and the place to 4 decimals (about 11 metres), as in the ledger.
// The title becomes the name of the type, in the person's language.
func (g *Group) eraseReports(ctx context.Context, tx *outbox.Tx, user uuid.UUID) error {
	return ledger.ErasePerson(ctx, tx, user, func(p database.Pipeline) error {
		for _, words := range eraseVouched {
			p.Queue(words, user)
		}
		return report.BlankWordsOf(p, user)
	})
}

// eraseVouched blanks the words outside of the person's reports for which ledger events have hashes.
var eraseVouched = []string{
	`UPDATE report_comments SET content = '', client_id = NULL WHERE author_id = $1`,
	`UPDATE report_status_history SET note = NULL WHERE actor_id = $1 AND actor_kind = 'citizen' AND note IS NOT NULL`, // notes as staff stay
}

// eraseAnswers empties stored answers to requests of staff (Idempotency-Key) that name the person or one of their reports.
// The rows stay, so that a repeated request is not carried out a second time; it gets 410 "answer_erased". The answers to
// citizens name nobody but themselves.
const eraseAnswers = `
	UPDATE idempotency_keys k SET response = '', status = 410 FROM users o
	 WHERE o.role <> 'citizen' AND k.owner = o.id::text AND o.id <> $1 AND k.status IS NOT NULL AND (
	       position(convert_to($1::uuid::text, 'UTF8') IN k.response) > 0 OR EXISTS (
	           SELECT FROM reports r WHERE r.user_id = $1 AND position(convert_to(r.id::text, 'UTF8') IN k.response) > 0))`
