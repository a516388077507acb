package ledger

import (
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
)

// ErrHalted is the 503 for a write while the log takes no events: a backup was restored, and the events that the log has
// published since are not back yet (make log-recover).
var ErrHalted = problem.New(problem.Unavailable, "log_halted").After(30 * time.Second)

// nextPlace gives the next place in the log. The row stays locked until the commit, so the statement is one of the last of
// its transaction (database.Tx.Last). While the log takes no events, the constraint haltedConstraint refuses it. The database
// must refuse it: the commit is sent together with it, so Go cannot stop the commit any more.
const (
	nextPlace = `UPDATE log_counter SET next = CASE WHEN halted IS NULL THEN next + 1 ELSE -1 END
		RETURNING next - 1 AS log_index, receipts_vkey`
	haltedConstraint = "log_counter_next_not_negative"
)

// logPlace is where the log has an event.
type logPlace struct {
	Index       int64
	ReceiptsKey *string // the key that signs receipts now
}

// NewEntry is an entry of the log that a transaction writes.
type NewEntry struct {
	ID       uuid.UUID // of the event
	Seq      int       // in the report's chain
	raw      []byte    // the payload, with a placeholder for what late gives
	late     database.Late
	salt     []byte // of this event; nil where it has none
	ofReport []byte // the report's salt; nil once the report is erased
	place    *database.Ask[logPlace]
}

// Index is the place in the log. It is known after the commit.
func (e *NewEntry) Index() int64 { return e.place.Get().Index }

// payload is the entry's data. number is the report's number.
func (e *NewEntry) payload(number string) string {
	if e.late.Known() {
		return string(e.raw)
	}
	return strings.ReplaceAll(string(e.raw), e.late.Placeholder(), number)
}

// saltFor is the salt that whoever made the change may know: that of what they wrote. Without any it is that of the report,
// for its reporter alone.
func (e *NewEntry) saltFor(reporter bool) []byte {
	if e.Seq > 1 && e.salt != nil {
		return e.salt
	}
	if reporter {
		return e.ofReport
	}
	return nil
}

// LeafHash is the hash of an entry with this data (RFC 6962).
func LeafHash(payload []byte) tlog.Hash { return tlog.RecordHash(payload) }
