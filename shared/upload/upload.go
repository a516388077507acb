// Package upload takes pictures from phones and attaches them to reports: it checks and stores the files, and locks an
// upload for the report that uses it.
package upload

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/warning"
)

// Life is how long an upload is kept without a report; phones can be offline for days.
const Life = 7 * 24 * time.Hour

// Rendition is a re-encoded form of a picture, without any metadata.
type Rendition string

// The renditions.
const (
	Display   Rendition = "display"
	Thumbnail Rendition = "thumbnail"
)

// OriginalKey is the S3 key of the bytes as sent. They are private, encrypted, and expire.
func OriginalKey(id uuid.UUID) string { return storage.Originals + id.String() }

// RenditionKey is the S3 key of a rendition. The generation counts how often the renditions were made anew or taken out of
// public reach: addresses of an earlier generation lead nowhere.
func RenditionKey(id uuid.UUID, generation int, r Rendition) string {
	if generation == 0 {
		return storage.Renditions + id.String() + "/" + string(r) + ".jpg"
	}
	return storage.Renditions + id.String() + "/" + strconv.Itoa(generation) + "/" + string(r) + ".jpg"
}

// RenditionKeys are the S3 keys of both renditions of the generations from up to, and without, before.
func RenditionKeys(id uuid.UUID, from, before int) []string {
	var out []string
	for generation := from; generation < before; generation++ {
		out = append(out, RenditionKey(id, generation, Display), RenditionKey(id, generation, Thumbnail))
	}
	return out
}

// IDOfKey is the upload of an S3 key, or of the address of an object; false for another text.
func IDOfKey(ref string) (uuid.UUID, bool) {
	if u, err := url.Parse(ref); err == nil {
		ref = u.Path
	}
	for _, prefix := range []string{storage.Originals, storage.Renditions} {
		if _, rest, ok := strings.Cut(ref, prefix); ok {
			name, _, _ := strings.Cut(rest, "/")
			id, err := uuid.Parse(name)
			return id, err == nil && id != uuid.Nil
		}
	}
	return uuid.Nil, false
}

// Upload is a picture that a phone sends ahead of its report, as its owner sees it.
type Upload struct {
	UploadID    uuid.UUID      `json:"upload_id"`
	S3Key       string         `json:"s3_key"`
	ImageURL    string         `json:"image_url,omitempty" doc:"Where the picture can be read once it is processed, a few seconds from now; works for 15 to 30 minutes"`
	ContentType string         `json:"content_type" example:"image/jpeg"`
	SizeBytes   int64          `json:"size_bytes"`
	SHA256      string         `json:"sha256,omitempty" doc:"Of the original, hex"`
	Width       int            `json:"width,omitempty" doc:"Pixels, as stored"`
	Height      int            `json:"height,omitempty"`
	ExpiresAt   timestamp.Time `json:"expires_at" doc:"When it is deleted unless it is attached to a report"`
	Upload      *Direct        `json:"upload,omitempty" doc:"The request that sends the bytes straight to storage"`
	// Warnings is set in the answer to the request that made the upload.
	Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the request was not kept; left out if everything was"`
}

// Direct is a request that the phone sends to S3 and not to the API.
type Direct struct {
	_       struct{}          `schema:"DirectUpload"`
	Method  string            `json:"method" example:"PUT"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers" doc:"To be sent exactly as given, and no Authorization header: storage refuses a request with one"`
}

// Intent describes a picture that a phone will send.
type Intent struct {
	ContentType string
	SizeBytes   int64
	SHA256      string // hex; may be empty
}

// directTTL is how long the address for a direct upload works. It is long enough for 10 MB on a slow link, with retries.
const directTTL = time.Hour

// Uploads stores the pictures that phones send.
type Uploads struct {
	db    database.Querier
	store *storage.Store
	links *storage.Links
	clock timestamp.Clock
}

// NewUploads returns an Uploads with its rows in db and its bytes in store.
func NewUploads(db database.Querier, store *storage.Store, links *storage.Links, now timestamp.Clock) *Uploads {
	return &Uploads{db: db, store: store, links: links, clock: now}
}

// Take stores a picture that came through the API. Anything but a complete JPEG, PNG or WebP fails with a 413, 415 or
// 422 and stores nothing.
func (s *Uploads) Take(ctx context.Context, owner Owner, f File) (Upload, error) {
	info, err := Inspect(f.Bytes)
	if err != nil {
		return Upload{}, problemOf(err)
	}
	sum := sha256.Sum256(f.Bytes)
	up := Upload{
		UploadID: database.NewID(), ContentType: info.Format.ContentType(), SizeBytes: int64(len(f.Bytes)),
		SHA256: hex.EncodeToString(sum[:]), Width: info.Width, Height: info.Height,
	}
	if err := s.insert(ctx, owner, &up, sum[:]); err != nil {
		return Upload{}, err
	}
	if err := s.store.Put(ctx, up.S3Key, up.ContentType, f.Bytes); err != nil {
		return Upload{}, errors.Join(problem.New(problem.Unavailable, "unavailable").After(2*time.Second).Because(err), s.remove(ctx, up.UploadID))
	}
	// The worker may already have processed the picture, so only the state issued changes.
	const stored = `UPDATE uploads SET state = 'stored', original_sha256 = $2 WHERE id = $1 AND state = 'issued'`
	if _, err := s.db.Exec(ctx, stored, up.UploadID, sum[:]); err != nil {
		return Upload{}, fmt.Errorf("mark upload stored: %w", err)
	}
	if up.ImageURL, err = s.links.Link(ctx, RenditionKey(up.UploadID, 0, Display)); err != nil {
		return Upload{}, err
	}
	return up, nil
}

// Issue returns the request with which a phone sends a picture straight to storage.
func (s *Uploads) Issue(ctx context.Context, owner uuid.UUID, in Intent) (Upload, error) {
	contentType := strings.ToLower(strings.TrimSpace(in.ContentType))
	if contentType == "image/jpg" {
		contentType = "image/jpeg"
	}
	switch {
	case contentType != "image/jpeg" && contentType != "image/png" && contentType != "image/webp":
		return Upload{}, problemOf(Refuse(NotAPicture, "declared type"))
	case in.SizeBytes > MaxBytes:
		return Upload{}, problemOf(Refuse(TooLarge, "declared size"))
	}
	sum, err := hex.DecodeString(in.SHA256)
	if err != nil || (len(sum) != 0 && len(sum) != sha256.Size) {
		warning.FromContext(ctx).Add("sha256", warning.Unreadable)
		sum, in.SHA256 = nil, ""
	}
	if len(sum) == 0 {
		sum = nil
	}
	up := Upload{UploadID: database.NewID(), ContentType: contentType, SizeBytes: in.SizeBytes, SHA256: strings.ToLower(in.SHA256)}
	if err := s.insert(ctx, OfPerson(owner), &up, sum); err != nil {
		return Upload{}, err
	}
	request, err := s.store.PresignPut(ctx, up.S3Key, contentType, in.SizeBytes, directTTL)
	if err != nil {
		return Upload{}, err
	}
	up.Upload = &Direct{Method: request.Method, URL: request.URL, Headers: make(map[string]string)}
	for name, values := range request.Headers {
		up.Upload.Headers[name] = strings.Join(values, ", ")
	}
	return up, nil
}

// insert adds the row of an upload, and sets its key and when it expires.
func (s *Uploads) insert(ctx context.Context, owner Owner, up *Upload, sum []byte) error {
	up.S3Key = OriginalKey(up.UploadID)
	up.ExpiresAt = timestamp.Of(s.clock.Now().Add(Life))
	const insert = `INSERT INTO uploads (id, user_id, api_key_id, s3_key, content_type, size_bytes, sha256, width, height, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, 0), nullif($9, 0), $10)`
	person, key := owner.columns()
	_, err := s.db.Exec(ctx, insert, up.UploadID, person, key, up.S3Key, up.ContentType, up.SizeBytes, sum, up.Width, up.Height, up.ExpiresAt.Time)
	if err != nil {
		return fmt.Errorf("insert upload: %w", err)
	}
	return nil
}

// remove deletes an upload whose bytes could not be stored. If there is an object, it expires.
func (s *Uploads) remove(ctx context.Context, id uuid.UUID) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if _, err := s.db.Exec(ctx, `DELETE FROM uploads WHERE id = $1`, id); err != nil {
		return fmt.Errorf("remove upload: %w", err)
	}
	return nil
}

// problemOf turns a *Refusal into the problem that the client gets; other errors stay.
func problemOf(err error) error {
	var r *Refusal
	if !errors.As(err, &r) {
		return err
	}
	switch r.Code {
	case NotAPicture:
		return errNotAPicture.Because(err)
	case TooLarge:
		return errPictureTooLarge.Because(err)
	case ExtraData:
		return errExtraData.Because(err)
	}
	return errBroken.Because(err)
}

// State is the state of an upload.
type State string

// The states.
const (
	Issued    State = "issued"    // waiting for the bytes
	Stored    State = "stored"    // the bytes are there
	Processed State = "processed" // renditions exist
	Refused   State = "refused"   // not an acceptable picture
	Redacting State = "redacting" // parts are being made black; nobody is shown it
)

// Lost reports whether a picture will never be seen: it was refused, its bytes did not come while their address worked, or
// its bytes expired before they were processed.
func Lost(s State, issuedAt, expiresAt, now time.Time) bool {
	switch s {
	case Refused:
		return true
	case Issued:
		return now.After(issuedAt.Add(directTTL))
	case Stored:
		return now.After(expiresAt)
	}
	return false
}

// Locked is an upload whose row the transaction has locked, so that only one report can use it.
type Locked struct {
	ID        uuid.UUID
	State     State
	Attached  bool
	ExpiresAt time.Time
	Hash      []byte // SHA-256 of the original as far as known
	// Of a processed one:
	DisplayHash   []byte // SHA-256 of the large rendition
	ThumbnailHash []byte // SHA-256 of the small one
	Width, Height *int   // pixels, upright
	Blurhash      *string
	Generation    int // of its renditions
}

// Lock locks uploads of an owner until the transaction ends. The result has those of ids that exist and belong to the
// owner, in no order; see InOrder.
func Lock(p database.Pipeline, owner Owner, ids []uuid.UUID) *database.Ask[[]Locked] {
	if len(ids) == 0 {
		return database.Derive(func() []Locked { return nil })
	}
	const q = `SELECT id, state, attached_at IS NOT NULL, expires_at, coalesce(original_sha256, sha256), display_sha256, thumbnail_sha256, width, height, blurhash, generation
		FROM uploads WHERE id = ANY($1) AND (user_id = $2 OR api_key_id = $3) ORDER BY id FOR UPDATE`
	person, key := owner.columns()
	return database.AskRows(p, pgx.RowToStructByPos[Locked], q, ids, person, key)
}

// InOrder returns the uploads in the order of ids. It fails with a 422 "upload_unknown" if one of them is not in locked:
// the upload does not exist, or it belongs to another person. The error does not say which.
func InOrder(ids []uuid.UUID, locked []Locked) ([]Locked, error) {
	out := make([]Locked, 0, len(ids))
	for _, id := range ids {
		i := slices.IndexFunc(locked, func(u Locked) bool { return u.ID == id })
		if i < 0 {
			return nil, ErrUnknown
		}
		out = append(out, locked[i])
	}
	return out, nil
}

// Usable is nil for an upload that may be attached to a report now.
func (u Locked) Usable(now time.Time) error {
	switch {
	case u.State == Refused:
		return errRefused
	case u.Attached:
		return errInUse
	case now.After(u.ExpiresAt):
		return ErrUnknown
	}
	return nil
}

// Same reports whether u has the id, or the same bytes as an upload with the hash.
func (u Locked) Same(id uuid.UUID, hash []byte) bool {
	return u.ID == id || (u.Hash != nil && bytes.Equal(u.Hash, hash))
}

// Attach marks uploads as used, so that they do not expire.
func Attach(p database.Pipeline, ids []uuid.UUID) {
	p.Queue(`UPDATE uploads SET attached_at = now() WHERE id = ANY($1)`, ids)
}
