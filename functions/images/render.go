package images

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/jpeg"
	_ "image/png" // decoder

	_ "golang.org/x/image/webp" // decoder

	"github.com/lafaekstreet/backend/shared/upload"
)

// What becomes of a picture.
const (
	displaySide      = 1600 // pixels, longest side
	displayQuality   = 82
	thumbnailSide    = 400
	thumbnailTarget  = 20 << 10 // bytes
	blurSide         = 32
	firstThumbnailQ  = 75
	lowestThumbnailQ = 35
)

// rendered is a picture as the public sees it, and what is known of its original.
type rendered struct {
	display, thumbnail []byte // JPEG without any metadata
	width, height      int    // of display, in pixels
	original           [sha256.Size]byte
	displaySHA         [sha256.Size]byte
	perceptual         uint64
	blurhash           string
	format             upload.Format
	signals            signals
}

// render makes the renditions of a file. Its error is a *upload.Refusal for a
// file that will never become a picture, and nothing else.
func render(file []byte) (*rendered, error) {
	info, err := upload.Inspect(file)
	if err != nil {
		return nil, err
	}
	img, err := decode(file, info)
	if err != nil {
		return nil, err
	}
	out := &rendered{original: sha256.Sum256(file), format: info.Format, signals: readSignals(info.EXIF)}
	source := split(img)
	w, h := fit(source.w, source.h, displaySide)
	display := source.scaled(w, h).upright(out.signals.orientation)
	out.width, out.height = display.w, display.h
	if out.display, err = encode(display, displayQuality); err != nil {
		return nil, err
	}
	out.displaySHA = sha256.Sum256(out.display)
	out.perceptual = differenceHash(display.y)
	if out.thumbnail, err = thumbnail(display); err != nil {
		return nil, err
	}
	w, h = fit(display.w, display.h, blurSide)
	out.blurhash = blurhash(display.scaled(w, h).joined())
	return out, nil
}

// decode refuses by the decoder's own view of the dimensions too, before it
// allocates them, and turns whatever the decoder dislikes into a refusal.
func decode(file []byte, info upload.Info) (image.Image, error) {
	c, _, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, upload.Refuse(upload.Broken, err.Error())
	}
	if c.Width != info.Width || c.Height != info.Height {
		return nil, upload.Refuse(upload.Broken, "contradicts itself about its dimensions")
	}
	var img image.Image
	if cause := contained(func() { img, _, err = image.Decode(bytes.NewReader(file)) }); cause != nil {
		return nil, upload.Refuse(upload.Broken, fmt.Sprintf("decoder panicked: %v", cause))
	}
	if err != nil {
		return nil, upload.Refuse(upload.Broken, err.Error())
	}
	return img, nil
}

// contained runs f over hostile input and returns what it panicked with, if it did.
func contained(f func()) any {
	var cause any
	func() {
		defer func() { cause = recover() }()
		f()
	}()
	return cause
}

func encode(p planes, quality int) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(p.w * p.h / 4)
	if err := jpeg.Encode(&b, p.joined(), &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("encode picture: %w", err)
	}
	return b.Bytes(), nil
}

// thumbnail gives up quality, then size, until it is small enough to load on a slow link.
func thumbnail(display planes) ([]byte, error) {
	var out []byte
	for side := thumbnailSide; ; side = side * 3 / 4 {
		w, h := fit(display.w, display.h, side)
		small := display.scaled(w, h)
		for q := firstThumbnailQ; q >= lowestThumbnailQ; q -= 10 {
			var err error
			if out, err = encode(small, q); err != nil || len(out) <= thumbnailTarget {
				return out, err
			}
		}
		if side < thumbnailSide/2 {
			return out, nil
		}
	}
}

// differenceHash is 64 bits that hardly change when a picture is re-encoded or
// resized: one for each pair of neighbours on a grid of 9 × 8, set where it
// grows darker to the right.
func differenceHash(luma plane) uint64 {
	grid := luma.scaled(9, 8, 9, 8)
	var hash uint64
	for y := range 8 {
		for x := range 8 {
			hash <<= 1
			if grid.pix[y*grid.stride+x] > grid.pix[y*grid.stride+x+1] {
				hash |= 1
			}
		}
	}
	return hash
}
