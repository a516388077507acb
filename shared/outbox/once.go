package outbox

import (
	"context"
	"fmt"
)

// Once marks a message as processed by a consumer, in the transaction of its
// effect. It reports false when the mark was there before: the effect has
// happened, and the caller does nothing.
func (w *Tx) Once(ctx context.Context, consumer, key string) (bool, error) {
	const mark = `INSERT INTO processed_messages (consumer, message_key) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	tag, err := w.Exec(ctx, mark, consumer, key)
	if err != nil {
		return false, fmt.Errorf("mark %s processed: %w", consumer, err)
	}
	return tag.RowsAffected() == 1, nil
}
