package testenv

import (
	"bytes"
	"crypto/sha256"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/upload"
)

// JPEG is a small picture. Another shade is another picture.
func (w *System) JPEG(shade uint8) []byte {
	w.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, canvas(shade), nil); err != nil {
		w.Fatal(err)
	}
	return b.Bytes()
}

// PNG is the same picture as a PNG.
func (w *System) PNG(shade uint8) []byte {
	w.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, canvas(shade)); err != nil {
		w.Fatal(err)
	}
	return b.Bytes()
}

func canvas(shade uint8) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			img.Set(x, y, color.RGBA{R: shade, G: uint8(4 * x), B: uint8(5 * y), A: 255})
		}
	}
	return img
}

// ProcessUpload does what the images worker does with an upload: it stores the renditions and fills the row, and if the upload is a
// picture of a report it writes the event of the report and asks for a verdict. Each upload has renditions of its own.
func (w *System) ProcessUpload(uploadID string) {
	w.Helper()
	id, err := uuid.Parse(uploadID)
	if err != nil {
		w.Fatal(err)
	}
	store := storage.New(w.AWS.Config(), storage.Config{Bucket: Bucket, PathStyle: true})
	var hashes [][]byte
	for _, r := range []upload.Rendition{upload.Display, upload.Thumbnail} {
		body := append(w.JPEG(1), string(r)+uploadID...) // a decoder ignores what follows the picture
		if err := store.Put(w.Context(), upload.RenditionKey(id, 0, r), "image/jpeg", body); err != nil {
			w.Fatal(err)
		}
		sum := sha256.Sum256(body)
		hashes = append(hashes, sum[:])
	}
	w.Do(func(tx *outbox.Tx) error {
		tx.Queue(`SELECT FROM reports r JOIN report_images i ON i.report_id = r.id WHERE i.upload_id = $1 FOR NO KEY UPDATE OF r`, id)
		tx.Queue(`UPDATE uploads SET state = 'processed', width = 64, height = 48, blurhash = 'LEHV6nWB2yk8',
			display_sha256 = $2, thumbnail_sha256 = $3, processed_at = now() WHERE id = $1`, id, hashes[0], hashes[1])
		type picture struct {
			Report uuid.UUID
			Judged bool
		}
		of := database.AskOptional(tx, pgx.RowToStructByPos[picture], `SELECT report_id, kind <> 'resolution' FROM report_images WHERE upload_id = $1 AND deleted_at IS NULL`, id)
		if err := tx.Flush(w.Context()); err != nil || of.Get() == nil {
			return err
		}
		if err := ledger.Amend(w.Context(), tx, of.Get().Report); err != nil || !of.Get().Judged {
			return err
		}
		return tx.Send(w.Context(), queue.Validate, queue.ValidateMessage{ReportID: of.Get().Report})
	})
}
