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
// relay sends the message of the oldest waiting comment again when the hour is over. A removed comment is not mailed; a mail
// without a comment is not sent.
func (w *Worker) mailComment(ctx context.Context, n notice) error {
	d := delivery{notification: n.id, channel: byMail}
	var texts []map[string]string
	err := w.db.InTx(ctx, func(tx *database.Tx) error {
		texts = nil
		turn, err := w.askTurn(ctx, tx, n)
		if err != nil {
			return err
		}
		mine, err := w.claim(ctx, tx, &d, true)
		switch {
		case err != nil || !mine:
			return err
		case !turn && n.removed:
			return w.leave(ctx, tx, d, skipped)
		case !turn:
			return w.leave(ctx, tx, d, waiting)
		}
		if texts, err = w.gather(ctx, tx, n); err != nil {
			return err
		}
		if len(texts) == 0 {
			return w.leave(ctx, tx, d, skipped)
		}
		tx.Queue(`UPDATE comment_mails SET holder = $3, begun_at = $4 WHERE user_id = $1 AND report_id = $2`, n.userID, n.reportID, n.id, w.clock.Now())
		return nil
	})
	if err != nil || len(texts) == 0 {
		return err
	}
	err = w.finish(ctx, d, func(ready handOver) error {
		title, body := commentTexts(n, texts)
		return w.mailer.Send(ctx, w.renderNotification(n, title, body, nil), ready)
	})
	if err != nil || len(texts) == 1 && !n.removed {
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

// leave leaves the claimed delivery, without sending it, in a state.
func (w *Worker) leave(ctx context.Context, tx *database.Tx, d delivery, state deliveryState) error {
	const q = `UPDATE notification_deliveries SET state = $4, updated_at = now() WHERE notification_id = $1 AND channel = $2 AND recipient = $3`
	if _, err := tx.Exec(ctx, q, d.notification, d.channel, d.recipient, string(state)); err != nil {
		return fmt.Errorf("leave mail %s: %w", state, err)
	}
	return nil
}

// gather returns the parameters of the comments in the mail of n: those of n first, then those of what waits, oldest first,
// and of what an earlier run of n has gathered. Comments that were removed are not in it; their deliveries are skipped.
func (w *Worker) gather(ctx context.Context, tx *database.Tx, n notice) ([]map[string]string, error) {
	tx.Queue(`
		UPDATE notification_deliveries d SET updated_at = now(), gathered_by = $3,
		       state = CASE WHEN `+notification.CommentRemovedSQL+` THEN $7 ELSE $6 END
		FROM notifications n
		WHERE n.id = d.notification_id AND n.user_id = $1 AND n.report_id = $2 AND n.type = $4 AND n.id <> $3
		  AND d.channel = 'mail' AND (d.state = $5 OR d.state = $6 AND d.gathered_by = $3)`,
		n.userID, n.reportID, n.id, string(n.typ), string(waiting), string(gathered), string(skipped))
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
	if n.removed {
		return others, nil
	}
	return append([]map[string]string{n.params}, others...), nil
}

// commentTexts returns the subject and text of a mail about comments with the given parameters.
func commentTexts(n notice, comments []map[string]string) (string, string) {
	if len(comments) == 1 {
		return notification.Text(n.language, n.typ, comments[0])
	}
	var lines []string
	for _, params := range comments[:min(len(comments), mostComments)] {
		_, body := notification.Text(n.language, n.typ, params)
		lines = append(lines, body)
	}
	if rest := len(comments) - len(lines); rest > 0 {
		line, _ := locale.Text(n.language, "notification.comment_added.more", map[string]string{"count": strconv.Itoa(rest)})
		lines = append(lines, line)
	}
	title, _ := locale.Text(n.language, "notification.comment_added.many", map[string]string{
		"count": strconv.Itoa(len(comments)), notification.ParamReportNumber: n.params[notification.ParamReportNumber]})
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
