package relay

import (
	"context"
	"fmt"
	"time"

	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// Times of mails about comments.
const (
	mailCommentsEvery = time.Hour        // as in functions/notify
	mailCommentsAgain = 10 * time.Minute // a message that was lost is sent again after this time
)

// waitingCommentsSQL finds, for each reader and report whose hour is over, the oldest comment that waits for a mail. $1 is
// an hour ago, $2 the most rows.
const waitingCommentsSQL = `
	SELECT id FROM (
		SELECT DISTINCT ON (n.user_id, n.report_id) n.id
		FROM notification_deliveries d JOIN notifications n ON n.id = d.notification_id
		JOIN users u ON u.id = n.user_id AND u.deleted_at IS NULL AND u.suspended_at IS NULL
		LEFT JOIN comment_mails m ON m.user_id = n.user_id AND m.report_id = n.report_id
		WHERE d.state = 'waiting' AND (m.begun_at IS NULL OR m.begun_at <= $1)
		ORDER BY n.user_id, n.report_id, n.created_at, n.id) oldest
	ORDER BY id LIMIT $2`

// freeGatheredSQL lets the comments wait again whose mail went with a notification that does not exist any more.
const freeGatheredSQL = `
	UPDATE notification_deliveries d SET state = 'waiting', gathered_by = NULL
	WHERE d.state = 'gathered' AND NOT EXISTS (SELECT FROM notifications n WHERE n.id = d.gathered_by)`

// mailComments sends the messages of comments that have waited for their hour. A reader may have deleted a notification before its
// mail was sent; the comments that were to go with it wait again.
func (r *Relay) mailComments(ctx context.Context) error {
	now := r.clock.Now()
	return r.outbox.Do(ctx, func(tx *outbox.Tx) error {
		if _, err := tx.Exec(ctx, freeGatheredSQL); err != nil {
			return fmt.Errorf("free gathered comments: %w", err)
		}
		found, err := due(ctx, tx, waitingCommentsSQL, now.Add(-mailCommentsEvery), maxWakings)
		if err != nil {
			return err
		}
		for _, id := range found {
			key := fmt.Sprintf("%s@%d", id, now.Truncate(mailCommentsAgain).Unix())
			first, err := tx.Once(ctx, "relay-comments", key)
			if err != nil {
				return err
			}
			if first {
				if err := tx.Send(ctx, queue.Notify, queue.NotifyMessage{NotificationID: &id}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
