// Package fetch is the worker that fetches pictures from addresses that other systems name (media_url of Open311). It reads the
// queue fetch, so no request waits for a server of somebody else.
package fetch

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
	"github.com/lafaekstreet/backend/shared/storage"
)

// Config has the settings that this worker alone reads.
type Config struct {
	Storage storage.Config
}

// Worker fetches pictures.
type Worker struct {
	db *database.DB
}

// Open returns the worker.
func Open(ctx context.Context, env config.Env) (queue.Handler, error) {
	kit, err := service.Open(ctx, "fetch", env)
	if err != nil {
		return nil, err
	}
	w := &Worker{db: kit.DB}
	return kit.Queue(queue.Fetch, 1, w.handle), nil
}

func (w *Worker) handle(_ context.Context, m events.SQSMessage) error {
	var message queue.FetchMessage
	if err := json.Unmarshal([]byte(m.Body), &message); err != nil || message.UploadID == uuid.Nil {
		return queue.Permanent(errors.New("message names no upload"))
	}
	return nil
}
