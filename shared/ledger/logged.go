package ledger

import (
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// Logged is an entry of the log as it is stored, with what its receipt needs.
type Logged struct {
	Number  string // of the report
	Seq     int    // among the report's events
	Index   int64  // in the log
	Payload []byte
	Salt    []byte  // for the receipt; nil for none
	Key     *string // the public key that signs receipts now; nil before the first
}

// AskLogged adds a statement that reads entries of the log for receipts, in the order of the log. Where is a condition on
// ledger_events e and reports r. The entries are of changes that the person made: the salt is that of the event's own
// words, and without any that of the report for its reporter.
func AskLogged(p database.Pipeline, person uuid.UUID, where string, args ...any) *database.Ask[[]Logged] {
	q := `SELECT r.report_number, e.seq, ` + ReceiptColumns("$"+strconv.Itoa(len(args)+1)) + `
		FROM ledger_events e JOIN reports r ON r.id = e.report_id WHERE ` + where + ` ORDER BY e.log_index`
	return database.AskRows(p, pgx.RowToStructByPos[Logged], q, append(args, person)...)
}

// ReceiptColumns are the columns Index to Key of Logged, for ledger_events e and reports r, as SQL. Person is the parameter
// with the person that the receipt is for.
func ReceiptColumns(person string) string {
	return `e.log_index AS receipt_index, e.payload AS receipt_payload,
		coalesce((SELECT salt FROM report_salts s WHERE s.report_id = e.report_id AND s.seq = e.seq AND e.seq > 1),
		         (SELECT salt FROM report_salts s WHERE s.report_id = e.report_id AND s.seq = 1 AND r.user_id = ` + person + `)) AS receipt_salt,
		(SELECT receipts_vkey FROM log_counter) AS receipt_key`
}

// AskFirst adds a statement that reads the first event of each report, by the report's id. It is for receipts that everybody may
// read: there is no salt. An event from before the public log is left out: not everybody may read each of these.
func AskFirst(p database.Pipeline, reports []uuid.UUID) *database.Ask[map[uuid.UUID]Logged] {
	type row struct {
		Report uuid.UUID
		Logged
	}
	const q = `SELECT r.id, r.report_number, e.seq, e.log_index, e.payload, NULL::bytea AS receipt_salt, (SELECT receipts_vkey FROM log_counter) AS receipt_key
		FROM ledger_events e JOIN reports r ON r.id = e.report_id WHERE e.report_id = ANY($1) AND e.seq = 1`
	found := database.AskRows(p, pgx.RowToStructByPos[row], q, reports)
	return database.Derive(func() map[uuid.UUID]Logged {
		out := make(map[uuid.UUID]Logged, len(reports))
		for _, each := range found.Get() {
			if link := (link{Payload: each.Payload}); !link.beforeTheLog() {
				out[each.Report] = each.Logged
			}
		}
		return out
	})
}
