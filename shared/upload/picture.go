package upload

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// The limits of a picture.
const (
	MaxBytes  = 10_000_000 // of the file; a client may not announce more
	MaxPixels = 50_000_000 // width times height
	// maxSide is the largest width and height, in pixels: a line of 1 × 50,000,000 pixels is within MaxPixels.
	maxSide = 32_000
	// MaxStored is the largest file that is processed, in bytes. Before December 2026 a client could announce this much.
	MaxStored = 10 << 20
)

// Format is a file format that is accepted.
type Format string

// The formats.
const (
	JPEG Format = "jpeg"
	PNG  Format = "png"
	WebP Format = "webp"
)

// ContentType is the format's media type.
func (f Format) ContentType() string { return "image/" + string(f) }

// Info is what Inspect found in a file.
type Info struct {
	Format        Format
	Width, Height int // pixels as stored, before any orientation
	// EXIF is the TIFF block of the metadata, nil when there is none. It aliases the file.
	EXIF []byte
}

// RefusalCode says why a file is refused. Clients see it, and shared/locale has a text for it (notification.reason.<code>).
type RefusalCode string

// The codes.
const (
	NotAPicture   RefusalCode = "not_a_picture"
	Broken        RefusalCode = "broken"
	TooLarge      RefusalCode = "too_large"
	ExtraData     RefusalCode = "extra_data"
	NotAsDeclared RefusalCode = "not_as_declared"
	// Unreachable is for a picture that was to be fetched from an address: nobody may or can fetch it there.
	Unreachable RefusalCode = "unreachable"
)

// Refusal is the error for a file that is not acceptable; another try has the same result.
type Refusal struct {
	Code  RefusalCode
	cause string
}

// Refuse returns a Refusal. The cause is for logs, so it must not contain anything of the file.
func Refuse(code RefusalCode, cause string) *Refusal { return &Refusal{Code: code, cause: cause} }

// Error implements error.
func (r *Refusal) Error() string { return fmt.Sprintf("picture refused (%s): %s", r.Code, r.cause) }

// Sniff returns the format that the first bytes (at least 12) have. File names and declared types do not count.
func Sniff(head []byte) (Format, bool) {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return JPEG, true
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return PNG, true
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		return WebP, true
	}
	return "", false
}

// isISOMedia reports whether the first bytes are those of an ISO base media file: HEIC, HEIF, AVIF or a video.
func isISOMedia(head []byte) bool {
	return len(head) >= 8 && head[0] == 0 && string(head[4:8]) == "ftyp"
}

// Inspect checks the structure of a whole file. Its error is a *Refusal. A file that it accepts may still fail to decode:
// the pixels are not checked.
func Inspect(file []byte) (Info, error) {
	if len(file) > MaxStored {
		return Info{}, Refuse(TooLarge, fmt.Sprintf("%d bytes", len(file)))
	}
	format, ok := Sniff(file)
	if !ok {
		return Info{}, Refuse(NotAPicture, "unknown signature")
	}
	var found structure
	var refusal *Refusal
	switch format {
	case JPEG:
		found, refusal = walkJPEG(file)
	case PNG:
		found, refusal = walkPNG(file)
	case WebP:
		found, refusal = walkWebP(file)
	}
	if refusal != nil {
		return Info{}, refusal
	}
	if refusal := checkSize(found.width, found.height); refusal != nil {
		return Info{}, refusal
	}
	if refusal := checkPolyglot(file, found); refusal != nil {
		return Info{}, refusal
	}
	return Info{Format: format, Width: found.width, Height: found.height, EXIF: found.exif}, nil
}

func checkSize(w, h int) *Refusal {
	switch {
	case w <= 0 || h <= 0:
		return Refuse(Broken, "no dimensions")
	case w > maxSide || h > maxSide || w*h > MaxPixels:
		return Refuse(TooLarge, fmt.Sprintf("%d × %d pixels", w, h))
	}
	return nil
}

// structure is what a walk through the segments or chunks of a file found.
type structure struct {
	width, height int
	exif          []byte
	text          [][]byte // metadata that could hide a script
	end           int      // where the picture ends in the file
}

// checkPolyglot refuses a file that is a picture and also a file of another kind. Phones append harmless data to pictures: a
// second view, a video clip, data of the manufacturer. So data after the end is refused only if a program would run or open
// it.
func checkPolyglot(b []byte, found structure) *Refusal {
	trailer := b[found.end:]
	switch {
	case bytes.Contains(b[:min(len(b), 1024)], []byte("%PDF-")):
		return Refuse(ExtraData, "also a PDF")
	case isZIP(b, trailer):
		return Refuse(ExtraData, "also a ZIP archive")
	case isProgram(trailer):
		return Refuse(ExtraData, "carries an archive or program")
	}
	for _, part := range append(found.text, trailer) {
		if hasScript(part) {
			return Refuse(ExtraData, "carries a script")
		}
	}
	return nil
}

// isZIP looks for the end-of-central-directory record where readers look for it:
// in the last 64 KiB, with a comment that reaches the end of the file.
func isZIP(b, trailer []byte) bool {
	if bytes.HasPrefix(trailer, []byte("PK\x03\x04")) {
		return true
	}
	tail := b[max(0, len(b)-(1<<16+22)):]
	for {
		at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
		if at < 0 {
			return false
		}
		if len(tail) >= at+22 {
			if comment := int(binary.LittleEndian.Uint16(tail[at+20:])); comment <= len(b) && at+22+comment == len(tail) {
				return true
			}
		}
		tail = tail[:at]
	}
}

func isProgram(trailer []byte) bool {
	for _, magic := range []string{"\x7fELF", "MZ", "\xca\xfe\xba\xbe", "\x1f\x8b\x08", "#!", "%!PS"} {
		if bytes.HasPrefix(trailer, []byte(magic)) {
			return true
		}
	}
	for _, magic := range []string{"Rar!\x1a\x07", "7z\xbc\xaf\x27\x1c", "%PDF-"} {
		if bytes.Contains(trailer, []byte(magic)) {
			return true
		}
	}
	return false
}

func hasScript(part []byte) bool {
	for {
		at := bytes.IndexByte(part, '<')
		if at < 0 {
			return false
		}
		part = part[at:]
		head := bytes.ToLower(part[:min(len(part), 16)])
		for _, tag := range []string{"<?php", "<script", "<html", "<!doctype html", "<iframe"} {
			if bytes.HasPrefix(head, []byte(tag)) {
				return true
			}
		}
		part = part[1:]
	}
}
