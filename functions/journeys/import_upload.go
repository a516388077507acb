package journeys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/journeys/trackfile"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/upload"
)

const (
	// uploadAddress is how long the address for a file works. It is long enough for 20 MB on a slow link.
	uploadAddress = time.Hour
	// uploadLife is how long a file can be imported. A lifecycle rule deletes it later.
	uploadLife = 24 * time.Hour
)

// ImportUpload is the request with which a client sends a large file straight to storage.
type ImportUpload struct {
	UploadID  uuid.UUID      `json:"upload_id"`
	Upload    upload.Direct  `json:"upload" doc:"The request that sends the bytes straight to storage. It works for an hour"`
	ExpiresAt timestamp.Time `json:"expires_at" doc:"Until when upload_id can be imported"`
}

// uploadKey is the S3 key of a file that was sent for a journey. No row says who sent it: only the owner of the journey gets
// an address for the key, and only the owner's imports read it.
func uploadKey(journey, id uuid.UUID) string {
	return storage.Imports + journey.String() + "/" + id.String()
}

// issueUpload answers with the address for a file.
func (g *Group) issueUpload(ctx context.Context, journey uuid.UUID, r *importRequest) (*importOutput, error) {
	size, err := r.size()
	if err != nil {
		return nil, err
	}
	id, now := database.NewID(), g.clock.Now()
	put, err := g.store.PresignPut(ctx, uploadKey(journey, id), r.contentType(), size, uploadAddress)
	if err != nil {
		return nil, err
	}
	out := ImportUpload{UploadID: id, ExpiresAt: timestamp.Of(now.Add(uploadLife)),
		Upload: upload.Direct{Method: put.Method, URL: put.URL, Headers: make(map[string]string)}}
	for name, values := range put.Headers {
		out.Upload.Headers[name] = strings.Join(values, ", ")
	}
	b := &database.Batch{}
	if err := httpapi.RecordAnswer(ctx, b, http.StatusCreated, out); err != nil {
		return nil, err
	}
	if err := b.Send(ctx, g.db); err != nil {
		return nil, fmt.Errorf("record address: %w", err)
	}
	return &importOutput{Status: http.StatusCreated, Body: out}, nil
}

func (r *importRequest) size() (int64, error) {
	if r.SizeBytes == nil {
		return 0, problem.InvalidField("size_bytes", "required, and at least 1")
	}
	size, err := r.SizeBytes.Int64()
	switch {
	case err != nil || size < 1:
		return 0, problem.InvalidField("size_bytes", "required, and at least 1")
	case size > trackfile.MaxBytes:
		return 0, problem.New(problem.TooLarge, "too_large")
	}
	return size, nil
}

// contentType is the type under which the file is stored. Nobody reads it by that type.
func (r *importRequest) contentType() string {
	const unknown = "application/octet-stream"
	if r.ContentType == nil {
		return unknown
	}
	media, _, _ := mime.ParseMediaType(*r.ContentType) // one that cannot be read counts as unknown
	switch media {
	case gpxMedia, "application/geo+json", "application/json", "application/xml", "text/xml":
		return media
	}
	return unknown
}

// openUpload opens a file that was sent to its address.
func (g *Group) openUpload(ctx context.Context, journey uuid.UUID, uploadID string) (io.ReadCloser, error) {
	id, err := uuid.Parse(uploadID)
	if err != nil {
		return nil, problem.InvalidField("upload_id", "expected a UUID")
	}
	age, ours := g.ageOf(id)
	if !ours || age > uploadLife {
		return nil, errUploadUnknown
	}
	file, err := g.store.Open(ctx, uploadKey(journey, id), trackfile.MaxBytes)
	switch {
	case errors.Is(err, storage.ErrNotFound) && age > uploadAddress:
		return nil, errUploadUnknown
	case errors.Is(err, storage.ErrNotFound):
		return nil, errNotSent
	case errors.Is(err, storage.ErrTooLarge):
		return nil, problem.New(problem.TooLarge, "too_large").Because(err)
	case err != nil:
		return nil, storageAway(err)
	}
	out, err := unpackFile(&boundedReader{file, trackfile.MaxBytes, storageAway(nil)}, file)
	if err != nil {
		_ = file.Close() // it was only read
		return nil, err
	}
	return out, nil
}

// ageOf is how long ago an id was issued; false for an id of another kind. The ids of database.NewID have their time.
func (g *Group) ageOf(id uuid.UUID) (time.Duration, bool) {
	if id.Version() != 7 {
		return 0, false
	}
	return g.clock.Now().Sub(time.Unix(id.Time().UnixTime())), true
}
