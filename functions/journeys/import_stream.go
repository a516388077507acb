package journeys

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime/multipart"

	"github.com/klauspost/compress/gzip"

	"github.com/lafaekstreet/backend/functions/journeys/trackfile"
	"github.com/lafaekstreet/backend/shared/problem"
)

// Errors of a file that does not come to its end.
var (
	errPackedBroken = errBrokenFile("gzip", "expected a whole gzip file")
	errFormBroken   = problem.New(problem.Invalid, "malformed_body")
)

// boundedReader reads at most left bytes of source; more are a 413.
type boundedReader struct {
	source io.Reader
	left   int64
	// fault is the client's error for every error of source that is no *problem.Error.
	fault *problem.Error
}

// Read implements io.Reader.
func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.source.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, problem.New(problem.TooLarge, "too_large")
	}
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	return n, asProblem(err, b.fault)
}

// asProblem returns the *problem.Error in err, or fault with err as its cause.
func asProblem(err error, fault *problem.Error) error {
	var known *problem.Error
	if errors.As(err, &known) {
		return known
	}
	return fault.Because(err)
}

// unpack returns a reader of what is packed with gzip, of at most limit bytes.
func unpack(packed io.Reader, limit int64) (io.Reader, error) {
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		return nil, asProblem(err, errPackedBroken)
	}
	return &boundedReader{unpacked, limit, errPackedBroken}, nil
}

// openedFile is the file of an import.
type openedFile struct {
	io.Reader
	io.Closer
}

// unpackFile returns a file of at most trackfile.MaxBytes bytes. A file that begins as gzip is unpacked (tour.gpx.gz).
func unpackFile(file io.Reader, source io.Closer) (io.ReadCloser, error) {
	content := bufio.NewReader(file)
	head, err := content.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, asProblem(err, errFormBroken)
	}
	if !bytes.Equal(head, gzipMagic) {
		return openedFile{&boundedReader{content, trackfile.MaxBytes, errFormBroken}, source}, nil
	}
	unpacked, err := unpack(content, trackfile.MaxBytes)
	if err != nil {
		return nil, err
	}
	return openedFile{unpacked, source}, nil
}

var gzipMagic = []byte{0x1f, 0x8b}

// headBytes is how many bytes of a part of a form decide whether it is the file.
const headBytes = 512

// formFile returns the file of a form: the first part whose bytes begin as GPX, GeoJSON or gzip. Names do not matter. If no
// part begins so, it is the first part with a file name. Each call of open reads the form from its beginning.
func formFile(open func() (io.Reader, error), boundary string) (io.Reader, error) {
	body, err := open()
	if err != nil {
		return nil, err
	}
	form := multipart.NewReader(body, boundary)
	named := -1
	for i := 0; ; i++ {
		part, err := form.NextPart()
		switch {
		case errors.Is(err, io.EOF) && named >= 0:
			return partOfForm(open, boundary, named)
		case err != nil:
			return nil, asProblem(err, errNoFile)
		}
		content := bufio.NewReaderSize(part, headBytes)
		head, err := content.Peek(headBytes)
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return nil, asProblem(err, errFormBroken)
		case beginsAsFile(head):
			return content, nil
		case named < 0 && part.FileName() != "":
			named = i
		}
	}
}

// partOfForm returns the part with this number, counted from 0.
func partOfForm(open func() (io.Reader, error), boundary string, number int) (io.Reader, error) {
	body, err := open()
	if err != nil {
		return nil, err
	}
	form := multipart.NewReader(body, boundary)
	for range number {
		if _, err := form.NextPart(); err != nil {
			return nil, asProblem(err, errFormBroken)
		}
	}
	part, err := form.NextPart()
	if err != nil {
		return nil, asProblem(err, errFormBroken)
	}
	return part, nil
}

// beginsAsFile reports whether bytes are the first of a file that can be imported: of XML or JSON, in UTF-8 or UTF-16, or of
// gzip.
func beginsAsFile(head []byte) bool {
	for _, start := range [][]byte{[]byte("<"), []byte("{"), []byte("\xff\xfe<"), []byte("\xfe\xff\x00<"), []byte("<\x00"), []byte("\x00<"), gzipMagic} {
		if bytes.HasPrefix(fileStart(head), start) {
			return true
		}
	}
	return false
}

// fileStart is a file without the byte order mark that some programs write, and without the white space after it.
func fileStart(raw []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")), " \t\r\n")
}
