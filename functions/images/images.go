// Package images is the worker that processes uploaded pictures, and makes parts of them black that
// a moderator named. S3 sends a message about each original. The worker checks, decodes, rotates and scales it and encodes
// the renditions. Only these renditions are ever shown, so nothing else that a
// stranger put into the file reaches the public.
//
// An upload without renditions is never public.
package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/upload"
)

// Config of the worker.
type Config struct {
	Storage storage.Config
	// Concurrency is how many pictures are processed at the same time; each may need some hundred megabytes.
	Concurrency int `env:"IMAGES_CONCURRENCY" envDefault:"1"`
}

// Objects holds the S3 calls that the worker makes.
type Objects interface {
	Read(ctx context.Context, key string, limit int64) ([]byte, error)
	Put(ctx context.Context, key, contentType string, body []byte) error
	Delete(ctx context.Context, key string) error
}

// Worker consumes the images queue.
type Worker struct {
	db      database.Querier
	outbox  *outbox.Outbox
	objects Objects
	clock   timestamp.Clock
	log     *slog.Logger
	metrics *telemetry.Metrics
}

// Open makes the consumer of the images queue.
func Open(ctx context.Context, env config.Env) (queue.Handler, error) {
	cfg, err := config.Parse[Config](env)
	if err != nil {
		return nil, fmt.Errorf("open images: %w", err)
	}
	kit, err := service.Open(ctx, "images", env)
	if err != nil {
		return nil, err
	}
	w, err := newWorker(kit)
	if err != nil {
		return nil, err
	}
	return kit.Queue(queue.Images, cfg.Concurrency, w.handleMessage), nil
}

func newWorker(kit *service.Kit) (*Worker, error) {
	cfg, err := config.Parse[Config](kit.Env)
	if err != nil {
		return nil, fmt.Errorf("open images: %w", err)
	}
	return &Worker{db: kit.DB, outbox: kit.Outbox, objects: storage.New(kit.AWS, cfg.Storage), clock: kit.Clock,
		log: kit.Log, metrics: kit.Metrics}, nil
}

func (w *Worker) handleMessage(ctx context.Context, m events.SQSMessage) error {
	var redaction queue.RedactMessage
	if json.Unmarshal([]byte(m.Body), &redaction) == nil && redaction.UploadID != uuid.Nil {
		return w.redact(ctx, redaction.UploadID)
	}
	keys, err := originalKeys(m.Body)
	if err != nil {
		return queue.Permanent(err)
	}
	for _, key := range keys {
		if err := w.processOriginal(ctx, key, queue.Receives(m)); err != nil {
			return err
		}
	}
	return nil
}

// unknownKeyReceives is the delivery from which a key without a row of uploads is
// ignored. Before that the message is retried, because the row may be committed after
// the object arrives: up to 30 s, the longest time of a request. Six waits are at least 63 s.
const unknownKeyReceives = 7

// processOriginal processes one original. receives is how often its message was
// delivered, this time included.
func (w *Worker) processOriginal(ctx context.Context, key string, receives int) error {
	u, err := w.find(ctx, key)
	switch {
	case errors.Is(err, pgx.ErrNoRows) && receives < unknownKeyReceives:
		return errors.New("original has no upload yet")
	case errors.Is(err, pgx.ErrNoRows):
		w.log.InfoContext(ctx, "original has no upload; ignored")
		return w.removeLeftovers(ctx, key)
	case err != nil:
		return err
	case u.discarded:
		return w.discard(ctx, u)
	case u.done():
		return nil
	}
	started := w.clock.Now()
	file, err := w.objects.Read(ctx, key, upload.MaxStored)
	if errors.Is(err, storage.ErrNotFound) {
		w.log.InfoContext(ctx, "original does not exist; ignored", "upload_id", u.id)
		return nil
	}
	var made *rendered
	if err == nil {
		if err = u.checkDeclared(file); err == nil {
			made, err = render(file)
		}
	}
	var refusal *upload.Refusal
	switch {
	case errors.As(err, &refusal):
		w.metrics.Add(catalog.PictureRefused)
		return w.recordRefusal(ctx, u, refusal)
	case errors.Is(err, storage.ErrTooLarge):
		w.metrics.Add(catalog.PictureRefused)
		return w.recordRefusal(ctx, u, upload.Refuse(upload.TooLarge, "object is larger than allowed"))
	case err != nil:
		return err
	}
	if err := w.publish(ctx, u, made); err != nil {
		return err
	}
	w.metrics.Put(catalog.PictureDuration, float64(w.clock.Now().Sub(started))/float64(time.Millisecond))
	return nil
}

// publish stores the renditions and then marks the upload as processed. It can be
// repeated: the same original makes the same bytes.
func (w *Worker) publish(ctx context.Context, u original, made *rendered) error {
	jpeg := upload.JPEG.ContentType()
	if err := w.objects.Put(ctx, u.rendition(upload.Display), jpeg, made.display); err != nil {
		return err
	}
	if err := w.objects.Put(ctx, u.rendition(upload.Thumbnail), jpeg, made.thumbnail); err != nil {
		return err
	}
	recorded, err := w.recordProcessed(ctx, u, made)
	if err != nil || recorded {
		return err
	}
	return w.notRecorded(ctx, u)
}

func (w *Worker) removeRenditions(ctx context.Context, u original) error {
	return errors.Join(w.objects.Delete(ctx, u.rendition(upload.Display)), w.objects.Delete(ctx, u.rendition(upload.Thumbnail)))
}

// removeLeftovers removes the renditions of an erased upload. An earlier run may have
// written them and died before it saw that the upload was erased.
func (w *Worker) removeLeftovers(ctx context.Context, key string) error {
	id, err := uuid.Parse(strings.TrimPrefix(key, storage.Originals))
	if err != nil {
		return nil // not a key that this system makes
	}
	return w.removeRenditions(ctx, original{id: id})
}

// original is one row of uploads: the file that the client announced.
type original struct {
	id         uuid.UUID
	userID     *uuid.UUID // nil for a picture of another system
	size       int64      // bytes, as announced
	sha256     []byte     // as announced; may be nil
	state      upload.State
	generation int  // of the renditions
	discarded  bool // it was taken off its report, the report was withdrawn, or the owner deleted the account
}

// done reports whether the original was processed. It is never processed twice: parts of the picture may have been made black
// since.
func (u original) done() bool { return u.state != upload.Issued && u.state != upload.Stored }

// rendition returns the S3 key of a rendition.
func (u original) rendition(r upload.Rendition) string {
	return upload.RenditionKey(u.id, u.generation, r)
}

// s3Event is the message of S3 about created objects. The test event that S3 sends
// when notifications are configured has no records.
type s3Event struct {
	Records []struct {
		EventName string `json:"eventName"`
		S3        struct {
			Object struct {
				Key string `json:"key"` // form-encoded
			} `json:"object"`
		} `json:"s3"`
	} `json:"Records"`
}

// originalKeys returns the keys of the new originals that a message names.
func originalKeys(body string) ([]string, error) {
	var event s3Event
	if err := json.Unmarshal([]byte(body), &event); err != nil {
		return nil, fmt.Errorf("read S3 event: %w", err)
	}
	var keys []string
	for _, r := range event.Records {
		if !strings.HasPrefix(r.EventName, "ObjectCreated:") {
			continue
		}
		key, err := url.QueryUnescape(r.S3.Object.Key)
		if err != nil {
			return nil, fmt.Errorf("read S3 event: the object key is not form-encoded")
		}
		if strings.HasPrefix(key, storage.Originals) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
