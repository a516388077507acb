package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
)

// PriorRows are the rows of a report's status history and of its comments that no event of their own vouches for: an earlier
// version wrote them. The report's baseline event has their hash.
type PriorRows struct {
	History  []priorMove    `json:"history"`
	Comments []priorComment `json:"comments"`
}

// priorMove is a row of the status history. Times have microseconds, as the database has.
type priorMove struct {
	ID        uuid.UUID  `json:"id"`
	OldStatus *string    `json:"old_status"`
	NewStatus string     `json:"new_status"`
	Kind      string     `json:"kind"`
	Actor     *uuid.UUID `json:"actor"`
	Agency    *uuid.UUID `json:"agency"`
	Note      *string    `json:"note"`
	At        string     `json:"at"`
}

// priorComment is a comment. RemovedAt is nil where it was not removed before the baseline event.
type priorComment struct {
	ID        uuid.UUID  `json:"id"`
	Author    *uuid.UUID `json:"author"`
	Content   string     `json:"content"`
	Official  bool       `json:"official"`
	At        string     `json:"at"`
	RemovedAt *string    `json:"removed_at"`
}

// AskPriorRows reads the prior rows of a report, in the order of their times and ids.
func AskPriorRows(p database.Pipeline, about report.About) *database.Ask[PriorRows] {
	const history = `
SELECT id, old_status, new_status, actor_kind, actor_id, agency_id, note, created_at
FROM report_status_history WHERE seq IS NULL AND report_id = ` + report.IDSQL + ` ORDER BY created_at, id`
	const comments = `
SELECT id, author_id, content, is_official, created_at, deleted_at
FROM report_comments WHERE seq IS NULL AND report_id = ` + report.IDSQL + ` ORDER BY created_at, id`
	moves := database.AskRows(p, scanPriorMove, history, about.Args()...)
	said := database.AskRows(p, scanPriorComment, comments, about.Args()...)
	return database.Derive(func() PriorRows { return PriorRows{History: moves.Get(), Comments: said.Get()} })
}

func scanPriorMove(row pgx.CollectableRow) (priorMove, error) {
	var m priorMove
	var at time.Time
	err := row.Scan(&m.ID, &m.OldStatus, &m.NewStatus, &m.Kind, &m.Actor, &m.Agency, &m.Note, &at)
	m.At = microseconds(at)
	return m, err
}

func scanPriorComment(row pgx.CollectableRow) (priorComment, error) {
	var c priorComment
	var at time.Time
	var removed *time.Time
	err := row.Scan(&c.ID, &c.Author, &c.Content, &c.Official, &at, &removed)
	c.At = microseconds(at)
	if removed != nil {
		text := microseconds(*removed)
		c.RemovedAt = &text
	}
	return c, err
}

func microseconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// Hash is HMAC-SHA-256 of the canonical rows under the report's salt, in hex: the member rows_hash of the baseline event.
func (r PriorRows) Hash(salt []byte) (string, error) {
	raw, err := canonical(r)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, salt)
	_, _ = mac.Write(raw)
	return hex.EncodeToString(mac.Sum(nil)), nil
}
