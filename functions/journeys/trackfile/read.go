package trackfile

import (
	"errors"
	"io"
	"time"

	"github.com/lafaekstreet/backend/shared/warning"
)

// Read reads a file of at most MaxBytes. It tells the formats apart by the first character, because many phones send a wrong
// content type. What of the file is not kept is said in w.
//
// Errors: ErrUnknownFormat, ErrEmpty, ErrTooManyPoints, ErrTooLarge; *Fault for a broken file, such as one that ends too
// early; and any error of src. After an error nothing of the file is kept.
func Read(src io.Reader, now time.Time, w *warning.Collector) (*File, error) {
	bounded := &boundedReader{src: src, left: MaxBytes}
	file, err := readText(bounded, now, w)
	if bounded.err != nil && !errors.Is(bounded.err, io.EOF) {
		return nil, bounded.err // the parser calls it a fault of the file
	}
	return file, err
}

func readText(src io.Reader, now time.Time, w *warning.Collector) (*File, error) {
	text, first, err := plainText(src)
	if err != nil {
		return nil, err
	}
	switch first {
	case '<':
		return readGPX(text, now, w)
	case '{':
		return readGeoJSON(text, now, w)
	}
	return nil, ErrUnknownFormat
}

// boundedReader fails with ErrTooLarge where src has more than left bytes. It keeps the error with which it ended.
type boundedReader struct {
	src  io.Reader
	left int
	err  error
}

// Read implements io.Reader.
func (r *boundedReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.src.Read(p)
	if n > r.left {
		n, err = r.left, ErrTooLarge
	}
	r.left -= n
	r.err = err
	return n, err
}
