package httpapi

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// compressMin is the size in bytes from which an answer is compressed.
const compressMin = 1024

// compressLevel is gzip's own default: on JSON the last levels cost more time than they save bytes.
const compressLevel = 6

// compressed compresses answers for clients that take gzip. Besides its SQL, gzip is most
// of what a list costs. The gzip of klauspost takes half the time of the standard library's
// and gives 1 % more bytes. Another coding would add half a megabyte to each function.
func compressed(next http.Handler) http.Handler {
	packers := &sync.Pool{New: func() any {
		w, err := gzip.NewWriterLevel(io.Discard, compressLevel)
		if err != nil {
			return gzip.NewWriter(io.Discard) // only for a level out of range, which this is not
		}
		return w
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding")
		if !TakesGzip(r.Header.Values("Accept-Encoding")) {
			next.ServeHTTP(w, r)
			return
		}
		c := &compressor{ResponseWriter: w, packers: packers}
		next.ServeHTTP(c, r)
		c.close() // not after a panic: recovered then sends its own answer in place of the kept bytes
	})
}

// TakesGzip reads Accept-Encoding (RFC 9110, 12.5.3): gzip by name, or by * unless it is named and refused.
func TakesGzip(fields []string) bool {
	any := false
	for element := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		coding, parameters, _ := strings.Cut(element, ";")
		wanted := true
		if _, weight, ok := strings.Cut(parameters, "="); ok {
			q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
			wanted = err == nil && q > 0
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return wanted
		case "*":
			any = wanted
		}
	}
	return any
}

// compressor keeps the first compressMin bytes of an answer before it sends any. A shorter answer is not compressed.
type compressor struct {
	http.ResponseWriter
	status int
	held   []byte
	out    io.Writer // takes the rest of the answer; nil until it is decided whether that is compressed
	packer *gzip.Writer
	// packers keeps the writers for the next answers: a new one takes most of a megabyte.
	packers *sync.Pool
}

// WriteHeader implements http.ResponseWriter.
func (c *compressor) WriteHeader(status int) {
	if status >= 100 && status < 200 { // informational: the answer is still to come
		c.ResponseWriter.WriteHeader(status)
		return
	}
	if c.status == 0 {
		c.status = status
	}
}

// Write implements io.Writer.
func (c *compressor) Write(b []byte) (int, error) {
	if c.out == nil {
		c.held = append(c.held, b...)
		if len(c.held) < compressMin {
			return len(b), nil
		}
		return len(b), c.begin(c.packable())
	}
	return c.out.Write(b)
}

// packable reports whether the answer may be compressed. It is false for an answer that has a coding, for a range, and for
// media types that are compressed already.
func (c *compressor) packable() bool {
	h := c.Header()
	if h.Get("Content-Encoding") != "" || h.Get("Content-Range") != "" {
		return false
	}
	kind := strings.ToLower(h.Get("Content-Type"))
	if kind == "" {
		kind = http.DetectContentType(c.held)
		h.Set("Content-Type", kind)
	}
	for _, packed := range []string{"image/jp", "image/png", "image/webp", "video/", "audio/", "font/woff", "application/zip", "application/gzip"} {
		if strings.HasPrefix(kind, packed) {
			return false
		}
	}
	return true
}

// begin sends the header and the kept bytes, compressed if pack is true.
func (c *compressor) begin(pack bool) error {
	c.out = c.ResponseWriter
	if pack {
		c.Header().Set("Content-Encoding", "gzip")
		c.Header().Del("Content-Length")
		c.packer, _ = c.packers.Get().(*gzip.Writer)
		c.packer.Reset(c.ResponseWriter)
		c.out = c.packer
	}
	if c.status != 0 {
		c.ResponseWriter.WriteHeader(c.status)
	}
	held := c.held
	c.held = nil
	if len(held) == 0 {
		return nil
	}
	_, err := c.out.Write(held)
	return err
}

// Flush implements http.Flusher: what was written so far is on its way.
func (c *compressor) Flush() {
	if c.out == nil {
		_ = c.begin(c.packable()) // the next Write tells
	}
	if c.packer != nil {
		_ = c.packer.Flush() // the next Write tells
	}
	_ = http.NewResponseController(c.ResponseWriter).Flush() // what cannot flush sends at the end
}

// Unwrap is for http.ResponseController.
func (c *compressor) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *compressor) close() {
	if c.out == nil {
		_ = c.begin(false) // nobody to tell: the client is gone
	}
	if c.packer != nil {
		_ = c.packer.Close() // nobody to tell: the client is gone
		c.packers.Put(c.packer)
	}
}
