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

// Sizes and JPEG qualities of the renditions.
const (
	displaySide      = 1600 // pixels, longest side
	displayQuality   = 82
	thumbnailSide    = 400
	thumbnailTarget  = 20 << 10 // bytes
	blurSide         = 32
	firstThumbnailQ  = 75
	lowestThumbnailQ = 35
	thumbnailQStep   = 10
)

// rendered holds the renditions of a picture and what was read from its original.
type rendered struct {
	display, thumbnail []byte            // JPEG without any metadata
	width, height      int               // of display, in pixels
	original           [sha256.Size]byte // hash of the original file
	displaySHA         [sha256.Size]byte // hash of display
	perceptual         uint64            // see differenceHash
	blurhash           string
	format             upload.Format
	signals            signals
}

// render makes the renditions of a file. The error is a *upload.Refusal if the file
// is not a picture that we accept; trying again does not help then.
func render(file []byte) (*rendered, error) {
	display, info, err := uprightOf(file)
	if err != nil {
		return nil, err
	}
	out := &rendered{original: sha256.Sum256(file), format: info.Format, signals: readSignals(info.EXIF)}
	return out, out.renditions(display)
}

// uprightOf is the picture of a file in the size of the large rendition, turned as its EXIF data ask. The errors are those of
// render.
func uprightOf(file []byte) (planes, upload.Info, error) {
	info, err := upload.Inspect(file)
	if err != nil {
		return planes{}, info, err
	}
	img, err := decode(file, info)
	if err != nil {
		return planes{}, info, err
	}
	source := toPlanes(img)
	w, h := fit(source.w, source.h, displaySide)
	return source.scaled(w, h).upright(orientationOf(info.EXIF)), info, nil
}

// renditions makes the renditions of a picture in the size of the large one, and what is computed from them.
func (r *rendered) renditions(display planes) error {
	var err error
	r.width, r.height = display.w, display.h
	if r.display, err = encode(display, displayQuality); err != nil {
		return err
	}
	r.displaySHA = sha256.Sum256(r.display)
	r.perceptual = differenceHash(display.y)
	if r.thumbnail, err = thumbnail(display); err != nil {
		return err
	}
	w, h := fit(display.w, display.h, blurSide)
	r.blurhash = blurhash(display.scaled(w, h).toImage())
	return nil
}

// decode decodes a picture. Before it allocates memory it checks that the decoder
// reads the same dimensions as upload.Inspect. Every error or panic of the decoder
// becomes a *upload.Refusal.
func decode(file []byte, info upload.Info) (image.Image, error) {
	c, _, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, upload.Refuse(upload.Broken, err.Error())
	}
	if c.Width != info.Width || c.Height != info.Height {
		return nil, upload.Refuse(upload.Broken, "its dimensions are stated differently in two places")
	}
	var img image.Image
	if cause := recoverFrom(func() { img, _, err = image.Decode(bytes.NewReader(file)) }); cause != nil {
		return nil, upload.Refuse(upload.Broken, fmt.Sprintf("decoder panicked: %v", cause))
	}
	if err != nil {
		return nil, upload.Refuse(upload.Broken, err.Error())
	}
	if info.Format == upload.WebP {
		toFullRange(img)
	}
	return img, nil
}

// recoverFrom runs f, which reads data of a stranger, and returns the value it
// panicked with, or nil.
func recoverFrom(f func()) any {
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
	if err := jpeg.Encode(&b, p.toImage(), &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("encode picture: %w", err)
	}
	return b.Bytes(), nil
}

// thumbnail reduces first the quality, then the size, until the file has at most
// thumbnailTarget bytes and loads quickly on a slow network. It stops below half of
// thumbnailSide, even if the file is still larger.
func thumbnail(display planes) ([]byte, error) {
	for side := thumbnailSide; ; side = side * 3 / 4 {
		w, h := fit(display.w, display.h, side)
		out, err := encodeSmall(display.scaled(w, h))
		if err != nil || len(out) <= thumbnailTarget || side < thumbnailSide/2 {
			return out, err
		}
	}
}

// encodeSmall encodes with the best quality that makes at most thumbnailTarget bytes, in steps of thumbnailQStep, or with the
// lowest. A file has more bytes at a better quality, so not every quality is tried.
func encodeSmall(p planes) ([]byte, error) {
	out, err := encode(p, firstThumbnailQ)
	if err != nil || len(out) <= thumbnailTarget {
		return out, err
	}
	out, err = encode(p, lowestThumbnailQ)
	if err != nil || len(out) > thumbnailTarget {
		return out, err
	}
	for low, high := lowestThumbnailQ, firstThumbnailQ; high-low > thumbnailQStep; { // low fits, high does not
		q := low + (high-low)/thumbnailQStep/2*thumbnailQStep
		tried, err := encode(p, q)
		if err != nil {
			return nil, err
		}
		if len(tried) <= thumbnailTarget {
			low, out = q, tried
		} else {
			high = q
		}
	}
	return out, nil
}

// differenceHash returns a perceptual hash: only a few of its 64 bits change when a
// picture is encoded again or resized. The picture is scaled to 9 × 8. Each bit
// compares two neighbouring pixels of one row and is set if the right one is darker.
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
