package testenv

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"github.com/google/uuid"

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

// ProcessUpload does what the images worker does with an upload: it stores the renditions and fills the row.
func (w *System) ProcessUpload(uploadID string) {
	w.Helper()
	id, err := uuid.Parse(uploadID)
	if err != nil {
		w.Fatal(err)
	}
	store := storage.New(w.AWS.Config(), storage.Config{Bucket: Bucket, PathStyle: true})
	for _, r := range []upload.Rendition{upload.Display, upload.Thumbnail} {
		if err := store.Put(w.Context(), upload.RenditionKey(id, r), "image/jpeg", w.JPEG(1)); err != nil {
			w.Fatal(err)
		}
	}
	w.Exec(`UPDATE uploads SET state = 'processed', width = 64, height = 48, blurhash = 'LEHV6nWB2yk8',
		display_sha256 = sha256($2), processed_at = now() WHERE id = $1`, id, []byte(uploadID))
}
