package open311

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/apikey"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportcreate"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/warning"
)

// repeat is the report of the key that a request repeats, with what the receipt of its first event needs.
type repeat struct {
	ContentHash []byte
	Keyed       bool // it was created under the same Idempotency-Key
	ledger.Logged
	id      uuid.UUID
	removed bool // withdrawn or removed since
	// What a repeat may say otherwise.
	anonymous bool
	severity  *report.Severity
	address   *string
	contact   reportcreate.Contact
}

// askRepeat finds the report that the key created under the same Idempotency-Key, else with the same content within 24 hours. A report that
// was taken down since is found too: the retry of a system that did not get its answer must not bring it back.
func askRepeat(p database.Pipeline, key apikey.Key, request createRequest) *database.Ask[*repeat] {
	const q = `
		SELECT r.content_hash, f.keyed, r.report_number, e.seq, e.log_index, e.payload,
		       (SELECT salt FROM report_salts s WHERE s.report_id = f.id AND s.seq = 1), (SELECT receipts_vkey FROM log_counter),
		       r.id, r.deleted_at IS NOT NULL, r.is_anonymous, r.severity_guess, r.address, c.full_name, c.phone_number, c.email::text, c.device_id, c.account_id
		  FROM (SELECT id, true AS keyed FROM reports WHERE api_key_id = $1 AND client_id = $2
		        UNION ALL
		        SELECT id, false FROM reports WHERE api_key_id = $1 AND created_at > now() - interval '24 hours' AND content_hash = $3) f
		  JOIN reports r ON r.id = f.id JOIN ledger_events e ON e.report_id = f.id AND e.seq = 1 LEFT JOIN open311_contacts c ON c.report_id = f.id
		 ORDER BY f.keyed DESC, r.created_at, r.id LIMIT 1`
	return database.AskOptional(p, func(row pgx.CollectableRow) (repeat, error) {
		var r repeat
		c := &r.contact
		err := row.Scan(&r.ContentHash, &r.Keyed, &r.Number, &r.Seq, &r.Index, &r.Payload, &r.Salt, &r.Key,
			&r.id, &r.removed, &r.anonymous, &r.severity, &r.address, &c.Name, &c.Phone, &c.Email, &c.DeviceID, &c.AccountID)
		return r, err
	}, q, key.ID, request.ClientID, request.ContentHash[:])
}

// compare names in warnings what a request says otherwise than the report that it repeats. It changes nothing but one thing: whoever wants
// to be anonymous is. The accuracy of the place may differ in a retry.
func (r *repeat) compare(ctx context.Context, tx *outbox.Tx, in reportcreate.Input, w *warning.Collector) error {
	if in.SeverityGuess != nil && (r.severity == nil || *r.severity != *in.SeverityGuess) {
		w.Add("attribute["+attributeSeverity+"]", warning.NotTaken)
	}
	sent := reportcreate.Contact{}
	if in.Contact != nil {
		sent = *in.Contact
	}
	for _, text := range []struct {
		field       string
		sent, there *string
	}{{"address_string", in.Address.Address, r.address}, {"first_name", sent.Name, r.contact.Name}, {"phone", sent.Phone, r.contact.Phone}, {"email", sent.Email, r.contact.Email},
		{"device_id", sent.DeviceID, r.contact.DeviceID}, {"account_id", sent.AccountID, r.contact.AccountID}} {
		if text.sent != nil && (text.there == nil || !database.SameText(*text.sent, *text.there)) {
			w.Add(text.field, warning.NotTaken)
		}
	}
	switch {
	case !in.Anonymous || r.anonymous:
		return nil
	case r.removed:
		w.Add("attribute["+attributeAnonymous+"]", warning.NotTaken)
		return nil
	}
	w.Add("attribute["+attributeAnonymous+"]", warning.Updated)
	return r.hideReporter(ctx, tx)
}

// hideReporter makes the report anonymous, as a reporter does who sends the same report again.
func (r *repeat) hideReporter(ctx context.Context, tx *outbox.Tx) error {
	locked := reportwrite.Lock(tx, report.AboutID(r.id))
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("lock repeated report: %w", err)
	}
	tx.Queue(`UPDATE reports SET is_anonymous = true, version = version + 1, updated_at = now() WHERE id = $1`, r.id)
	locked.Get().Event(tx, ledger.Event{Type: ledger.Amended}, report.Actor{Kind: report.ActorCitizen})
	return nil
}
