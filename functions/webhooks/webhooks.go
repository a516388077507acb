// Package webhooks is the worker that sends events of reports to the addresses that administrators named. It reads the queue
// webhooks.
package webhooks

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/service"
)

// Worker sends deliveries.
type Worker struct {
	db *database.DB
}

// Open returns the worker.
func Open(ctx context.Context, env config.Env) (queue.Handler, error) {
	kit, err := service.Open(ctx, "webhooks", env)
	if err != nil {
		return nil, err
	}
	w := &Worker{db: kit.DB}
	return kit.Queue(queue.Webhooks, 1, w.handle), nil
}

func (w *Worker) handle(_ context.Context, m events.SQSMessage) error {
	var message queue.WebhookMessage
	if err := json.Unmarshal([]byte(m.Body), &message); err != nil || message.DeliveryID == uuid.Nil {
		return queue.Permanent(errors.New("message names no delivery"))
	}
	return nil
}
