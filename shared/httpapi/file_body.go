package httpapi

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// IsGzip reports whether a Content-Encoding is gzip.
func IsGzip(coding string) bool {
	coding = strings.ToLower(strings.TrimSpace(coding))
	return coding == "gzip" || coding == "x-gzip"
}

// readFile reads a body that is a file, and changes nothing in it. One that is too large goes straight to storage.
func (i inputRules) readFile(r *http.Request) (body, error) {
	raw, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return body{}, errUseDirect
	}
	if err != nil {
		return body{}, bodyFault(err)
	}
	b := body{text: raw}
	b.into(r)
	if i.keyed(r) && IsGzip(r.Header.Get("Content-Encoding")) {
		b.compared = unpackedHash(raw, i.operation.Unpacks)
	}
	return b, nil
}

// unpackedHash is the SHA-256 of what is packed: two packings of a file may differ, for gzip writes the time. It is nil for
// bytes that are not whole, or have more than limit bytes unpacked; the operation refuses these.
func unpackedHash(packed []byte, limit int64) []byte {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil
	}
	hash := sha256.New()
	n, err := io.Copy(hash, io.LimitReader(unpacked, limit+1))
	if err != nil || n > limit {
		return nil
	}
	return hash.Sum(nil)
}
