// Package images is the worker that makes a picture out of the bytes somebody
// sent: S3 tells of an original, the worker checks, decodes, turns upright and
// re-encodes it, and only what it wrote itself is ever shown.
//
// It fails closed: an upload without renditions is never public.
package images

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	// Concurrency is how many pictures are worked on at once; each may take some hundred megabytes.
	Concurrency int `env:"IMAGES_CONCURRENCY" envDefault:"1"`
}

// Objects is what the worker needs of S3.
type Objects interface {
	Read(ctx context.Context, key string, limit int64) ([]byte, error)
	Put(ctx context.Context, key, contentType string, body []byte) error
	Delete(ctx context.Context, key string) error
}

// Worker processes originals.
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
	return kit.Queue(queue.Images, cfg.Concurrency, w.message), nil
}

func newWorker(kit *service.Kit) (*Worker, error) {
	cfg, err := config.Parse[Config](kit.Env)
	if err != nil {
		return nil, fmt.Errorf("open images: %w", err)
	}
	return &Worker{db: kit.DB, outbox: kit.Outbox, objects: storage.New(kit.AWS, cfg.Storage), clock: kit.Clock,
		log: kit.Log, metrics: kit.Metrics}, nil
}

func (w *Worker) message(ctx context.Context, m events.SQSMessage) error {
	keys, err := originals(m.Body)
	if err != nil {
		return queue.Permanent(err)
	}
	for _, key := range keys {
		if err := w.original(ctx, key, queue.Receives(m)); err != nil {
			return err
		}
	}
	return nil
}

// patience is how often an event of an unknown key comes back before it is taken
// for an object that was never ours: the row may be committed after the bytes arrive.
const patience = 3

func (w *Worker) original(ctx context.Context, key string, receives int) error {
	u, err := w.find(ctx, key)
	switch {
	case errors.Is(err, pgx.ErrNoRows) && receives < patience:
		return errors.New("original belongs to no upload yet")
	case errors.Is(err, pgx.ErrNoRows):
		w.log.InfoContext(ctx, "original belongs to no upload; ignored")
		return w.clear(ctx, key)
	case err != nil:
		return err
	case u.done():
		return nil
	}
	started := w.clock.Now()
	file, err := w.objects.Read(ctx, key, upload.MaxBytes)
	if errors.Is(err, storage.ErrNotFound) {
		w.log.InfoContext(ctx, "original is gone; ignored", "upload_id", u.id)
		return nil
	}
	var made *rendered
	if err == nil {
		if err = u.asDeclared(file); err == nil {
			made, err = render(file)
		}
	}
	var refusal *upload.Refusal
	switch {
	case errors.As(err, &refusal):
		w.metrics.Add(catalog.PictureRefused)
		return w.refuse(ctx, u, refusal)
	case errors.Is(err, storage.ErrTooLarge):
		w.metrics.Add(catalog.PictureRefused)
		return w.refuse(ctx, u, upload.Refuse(upload.TooLarge, "object is larger than allowed"))
	case err != nil:
		return err
	}
	if err := w.publish(ctx, u, made); err != nil {
		return err
	}
	w.metrics.Put(catalog.PictureDuration, float64(w.clock.Now().Sub(started))/float64(time.Millisecond))
	return nil
}

// publish stores the renditions, then says so. Both are repeatable: the same
// original makes the same bytes.
func (w *Worker) publish(ctx context.Context, u original, made *rendered) error {
	jpeg := upload.JPEG.ContentType()
	if err := w.objects.Put(ctx, u.rendition("display"), jpeg, made.display); err != nil {
		return err
	}
	if err := w.objects.Put(ctx, u.rendition("thumbnail"), jpeg, made.thumbnail); err != nil {
		return err
	}
	known, err := w.processed(ctx, u, made)
	if err != nil || known {
		return err
	}
	return w.remove(ctx, u) // erased while we worked: what was just written must go too
}

func (w *Worker) remove(ctx context.Context, u original) error {
	return errors.Join(w.objects.Delete(ctx, u.rendition("display")), w.objects.Delete(ctx, u.rendition("thumbnail")))
}

// clear removes what a run may have written for an upload that was erased, and that died before it knew.
func (w *Worker) clear(ctx context.Context, key string) error {
	id, err := uuid.Parse(strings.TrimPrefix(key, storage.Originals))
	if err != nil {
		return nil // no key of ours
	}
	return w.remove(ctx, original{id: id})
}

// original is the uploaded file of one row of uploads.
type original struct {
	id, userID uuid.UUID
	size       int64
	sha256     []byte // as the client stated it; may be nil
	state      string
}

func (u original) done() bool { return u.state == "processed" || u.state == "refused" }

func (u original) rendition(name string) string {
	return storage.Renditions + u.id.String() + "/" + name + ".jpg"
}
