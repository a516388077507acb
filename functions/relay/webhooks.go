package relay

import (
	"context"
	"fmt"

	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// wakeWebhooks sends a message for each webhook that has a delivery due and no worker on it: its turn came after more than a message can
// wait, or its message was lost. A second message does no harm.
func (r *Relay) wakeWebhooks(ctx context.Context) error {
	const q = `SELECT w.id FROM webhooks w WHERE w.enabled AND (w.paused_until IS NULL OR w.paused_until <= now()) AND EXISTS (
		SELECT FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'waiting' AND d.next_at <= now() - $1::interval
		   AND (d.claimed_until IS NULL OR d.claimed_until <= now()))`
	return r.outbox.Do(ctx, func(tx *outbox.Tx) error {
		found, err := due(ctx, tx, q, r.cfg.Grace)
		if err != nil {
			return err
		}
		for _, id := range found {
			if err := tx.Send(ctx, queue.Webhooks, queue.WebhookMessage{WebhookID: id}); err != nil {
				return fmt.Errorf("wake webhook: %w", err)
			}
		}
		return nil
	})
}
