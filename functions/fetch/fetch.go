// Package fetch is the worker that fetches pictures from addresses that other systems name (media_url of Open311). It reads the
// queue fetch, so no request waits for a server of somebody else. What it fetches becomes the original of an upload, and goes on
// like a picture that a phone sent.
package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbound"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/upload"
)

// Config has the settings that this worker alone reads.
type Config struct {
	Storage  storage.Config
	Outbound outbound.Config
}

// Objects holds the S3 calls that the worker makes.
type Objects interface {
	Read(ctx context.Context, key string, limit int64) ([]byte, error)
	Put(ctx context.Context, key, contentType string, body []byte) error
}

// Worker fetches pictures.
type Worker struct {
	db      database.Querier
	outbox  *outbox.Outbox
	objects Objects
	client  *outbound.Client
	log     *slog.Logger
	metrics *telemetry.Metrics
}

// fetchTimeout is the longest that a call takes, from the lookup of the name to the end of the picture.
const fetchTimeout = 15 * time.Second

// Open returns the worker.
func Open(ctx context.Context, env config.Env) (queue.Handler, error) {
	kit, err := service.Open(ctx, "fetch", env)
	if err != nil {
		return nil, err
	}
	w, err := newWorker(kit)
	if err != nil {
		return nil, err
	}
	return kit.Queue(queue.Fetch, 1, w.handle), nil
}

func newWorker(kit *service.Kit, opts ...outbound.Option) (*Worker, error) {
	cfg, err := config.Parse[Config](kit.Env)
	if err != nil {
		return nil, fmt.Errorf("open fetch: %w", err)
	}
	return &Worker{db: kit.DB, outbox: kit.Outbox, objects: storage.New(kit.AWS, cfg.Storage),
		client: outbound.New(cfg.Outbound, fetchTimeout, append(opts, outbound.ForFiles())...), log: kit.Log, metrics: kit.Metrics}, nil
}

func (w *Worker) handle(ctx context.Context, m events.SQSMessage) error {
	var message queue.FetchMessage
	if err := json.Unmarshal([]byte(m.Body), &message); err != nil || message.UploadID == uuid.Nil {
		return queue.Permanent(errors.New("message names no upload"))
	}
	awaited, err := w.find(ctx, message.UploadID)
	if err != nil || awaited == nil {
		return err
	}
	if done, err := w.finish(ctx, awaited); done || err != nil {
		return err
	}
	file, err := w.get(ctx, message.URL)
	var info upload.Info
	if err == nil {
		info, err = upload.Inspect(file)
	}
	var refusal *upload.Refusal
	switch {
	case errors.As(err, &refusal):
		return w.refuse(ctx, message.UploadID, refusal)
	case err != nil:
		return err
	}
	return w.store(ctx, awaited, file, info)
}

// awaitedUpload is an upload whose picture is to be fetched.
type awaitedUpload struct {
	ID     uuid.UUID
	SHA256 []byte // of the picture that an earlier delivery fetched; nil for none
}

// find returns the upload; nil where nothing is to be done: the picture was stored or refused, or nobody wants it any more.
func (w *Worker) find(ctx context.Context, id uuid.UUID) (*awaitedUpload, error) {
	const q = `SELECT id, sha256 FROM uploads WHERE id = $1 AND state = 'issued' AND deletion IS NULL`
	rows, err := w.db.Query(ctx, q, id)
	if err != nil {
		return nil, fmt.Errorf("find upload: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[awaitedUpload])
	if err != nil {
		return nil, fmt.Errorf("find upload: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// finish ends the work of an earlier delivery that stored the picture and did not come to its end. It reports whether there was one.
// A second picture from the address could be another one.
func (w *Worker) finish(ctx context.Context, u *awaitedUpload) (bool, error) {
	if u.SHA256 == nil {
		return false, nil
	}
	file, err := w.objects.Read(ctx, upload.OriginalKey(u.ID), upload.MaxStored)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if sum := sha256.Sum256(file); !bytes.Equal(sum[:], u.SHA256) {
		return false, nil
	}
	return true, w.markStored(ctx, u.ID)
}

// errFetchedTwice reports that another delivery fetched a picture at the same time. The next delivery finds that one.
var errFetchedTwice = errors.New("another delivery has fetched the picture")

// store keeps what the images worker compares the picture with, and then the picture. S3 tells that worker of it.
func (w *Worker) store(ctx context.Context, u *awaitedUpload, file []byte, info upload.Info) error {
	sum := sha256.Sum256(file)
	const announce = `UPDATE uploads SET content_type = $2, size_bytes = $3, sha256 = $4, width = $5, height = $6
		WHERE id = $1 AND state = 'issued' AND deletion IS NULL AND sha256 IS NOT DISTINCT FROM $7`
	tag, err := w.db.Exec(ctx, announce, u.ID, info.Format.ContentType(), len(file), sum[:], info.Width, info.Height, u.SHA256)
	if err != nil {
		return fmt.Errorf("announce picture: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errFetchedTwice
	}
	if err := w.objects.Put(ctx, upload.OriginalKey(u.ID), info.Format.ContentType(), file); err != nil {
		return err
	}
	return w.markStored(ctx, u.ID)
}

// markStored marks an upload whose picture is in the bucket. The images worker may have processed it already.
func (w *Worker) markStored(ctx context.Context, id uuid.UUID) error {
	const q = `UPDATE uploads SET state = 'stored', original_sha256 = sha256 WHERE id = $1 AND state = 'issued'`
	if _, err := w.db.Exec(ctx, q, id); err != nil {
		return fmt.Errorf("mark upload stored: %w", err)
	}
	return nil
}

// refuse records why there will be no picture. Its report goes on without it: it is judged anew, and a person looks at a report
// without a picture.
func (w *Worker) refuse(ctx context.Context, id uuid.UUID, why *upload.Refusal) error {
	w.log.WarnContext(ctx, "picture not fetched", "upload_id", id, "code", string(why.Code), "cause", why.Error())
	refused := false
	err := w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		const update = `UPDATE uploads SET state = 'refused', refusal = $2, processed_at = now() WHERE id = $1 AND state = 'issued' AND deletion IS NULL`
		tag, err := tx.Exec(ctx, update, id, string(why.Code))
		if err != nil {
			return fmt.Errorf("record refusal: %w", err)
		}
		if refused = tag.RowsAffected() == 1; !refused {
			return nil
		}
		const judged = `SELECT report_id FROM report_images WHERE upload_id = $1 AND deleted_at IS NULL AND kind <> 'resolution'`
		rows, err := tx.Query(ctx, judged, id)
		if err != nil {
			return fmt.Errorf("find report of upload: %w", err)
		}
		reports, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return fmt.Errorf("find report of upload: %w", err)
		}
		for _, report := range reports {
			if err := tx.Send(ctx, queue.Validate, queue.ValidateMessage{ReportID: report}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && refused {
		w.metrics.Add(catalog.PictureRefused)
	}
	return err
}
