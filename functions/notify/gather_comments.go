package notify

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/notification"
)

// mailEvery is the shortest time between two mails to one person about comments on one report.
const mailEvery = time.Hour

// mostComments is how many comments one mail quotes.
const mostComments = 20

// mailComment mails a comment at once, together with the comments that wait, or lets it wait for the mail of a later hour.
// relay sends the message of the oldest waiting comment again when the hour is over.
func (w *Worker) mailComment(ctx context.Context, n notice) error {
	d := delivery{notification: n.id, channel: byMail}
	var mine bool
	var others []map[string]string
	err := w.db.InTx(ctx, func(tx *database.Tx) error {
		mine, others = false, nil
		turn, err := w.askTurn(ctx, tx, n)
		if err != nil {
			return err
		}
		if mine, err = w.claim(ctx, tx, &d, true); err != nil || !mine {
			return err
		}
		if !turn {
			mine = false
			return w.wait(ctx, tx, d)
		}
		others, err = w.gather(ctx, tx, n)
		return err
	})
	if err != nil || !mine {
		return err
	}
	err = w.finish(ctx, d, func(ready handOver) error {
		title, body := commentTexts(n, others)
		return w.mailer.Send(ctx, renderNotification(n, title, body), ready)
	})
	if err != nil || len(others) == 0 {
		return err
	}
	return w.endGathered(context.WithoutCancel(ctx), n.id)
}

// askTurn locks the reader and the report for mails about comments, and reports whether n may be mailed now. A mail that was
// begun for n and has not arrived is still its turn.
func (w *Worker) askTurn(ctx context.Context, tx *database.Tx, n notice) (bool, error) {
	const lock = `
		INSERT INTO comment_mails AS m (user_id, report_id) VALUES ($1, $2)
		ON CONFLICT (user_id, report_id) DO UPDATE SET holder = m.holder
		RETURNING coalesce(holder = $3, false) OR begun_at <= $4`
	var turn bool
	err := tx.QueryRow(ctx, lock, n.userID, n.reportID, n.id, w.clock.Now().Add(-mailEvery)).Scan(&turn)
	if err != nil {
		return false, fmt.Errorf("lock mails about comments: %w", err)
	}
	return turn, nil
}

// wait leaves the claimed delivery for a later hour.
func (w *Worker) wait(ctx context.Context, tx *database.Tx, d delivery) error {
	const q = `UPDATE notification_deliveries SET state = $4, updated_at = now() WHERE notification_id = $1 AND channel = $2 AND recipient = $3`
	if _, err := tx.Exec(ctx, q, d.notification, d.channel, d.recipient, string(waiting)); err != nil {
		return fmt.Errorf("let mail wait: %w", err)
	}
	return nil
}

// gather begins the mail of n: the hour starts, and what waits goes with it. It returns the parameters of the other
// notifications in this mail, oldest first, also those that an earlier run of n has gathered.
func (w *Worker) gather(ctx context.Context, tx *database.Tx, n notice) ([]map[string]string, error) {
	tx.Queue(`UPDATE comment_mails SET holder = $3, begun_at = $4 WHERE user_id = $1 AND report_id = $2`, n.userID, n.reportID, n.id, w.clock.Now())
	tx.Queue(`
		UPDATE notification_deliveries d SET state = $6, gathered_by = $3, updated_at = now()
		FROM notifications o
		WHERE o.id = d.notification_id AND o.user_id = $1 AND o.report_id = $2 AND o.type = $4 AND o.id <> $3
		  AND d.channel = 'mail' AND d.state = $5`, n.userID, n.reportID, n.id, string(n.typ), string(waiting), string(gathered))
	const q = `
		SELECT o.params FROM notification_deliveries d JOIN notifications o ON o.id = d.notification_id
		WHERE d.gathered_by = $1 AND d.state = 'gathered' ORDER BY o.created_at, o.id`
	rows, err := tx.Query(ctx, q, n.id)
	if err != nil {
		return nil, fmt.Errorf("gather comments: %w", err)
	}
	others, err := pgx.CollectRows(rows, pgx.RowTo[map[string]string])
	if err != nil {
		return nil, fmt.Errorf("gather comments: %w", err)
	}
	return others, nil
}

// commentTexts returns the subject and text of a mail about n and the others.
func commentTexts(n notice, others []map[string]string) (string, string) {
	title, first := notification.Text(n.language, n.typ, n.params)
	if len(others) == 0 {
		return title, first
	}
	lines := []string{first}
	for _, params := range others[:min(len(others), mostComments-1)] {
		_, body := notification.Text(n.language, n.typ, params)
		lines = append(lines, body)
	}
	if rest := len(others) + 1 - len(lines); rest > 0 {
		line, _ := locale.Text(n.language, "notification.comment_added.more", map[string]string{"count": strconv.Itoa(rest)})
		lines = append(lines, line)
	}
	title, _ = locale.Text(n.language, "notification.comment_added.many", map[string]string{
		"count": strconv.Itoa(len(others) + 1), notification.ParamReportNumber: n.params[notification.ParamReportNumber]})
	return title, strings.Join(lines, "\n")
}

// endGathered gives the deliveries that went with the mail of a notification its outcome.
func (w *Worker) endGathered(ctx context.Context, by uuid.UUID) error {
	const q = `
		UPDATE notification_deliveries d SET state = mail.state, updated_at = now() FROM notification_deliveries mail
		WHERE d.gathered_by = $1 AND d.state = 'gathered'
		  AND mail.notification_id = $1 AND mail.channel = 'mail' AND mail.state IN ('sent', 'failed', 'unknown')`
	if _, err := w.db.Exec(ctx, q, by); err != nil {
		return fmt.Errorf("record gathered mails: %w", err)
	}
	return nil
}
