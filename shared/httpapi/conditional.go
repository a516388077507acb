package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

// maxTagged is the size in bytes of the largest answer that gets an ETag. Larger
// answers are sent while they are written.
const maxTagged = 1 << 20

// conditional sets Cache-Control and answers If-None-Match with 304.
func (a *API) conditional(o Operation, next http.Handler) http.Handler {
	control := cacheControl(o)
	if !o.conditional() {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			next.ServeHTTP(w, r)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", control)
		vary := "Accept-Language"
		if o.Access != Public {
			vary = "Authorization, Accept-Language"
		}
		if o.VaryCookie {
			vary += ", Cookie"
		}
		if o.VaryAccept {
			vary += ", Accept"
		}
		w.Header().Add("Vary", vary)
		held := &heldWriter{ResponseWriter: w, ownTag: o.OwnTag}
		next.ServeHTTP(held, r)
		held.finish(r.Header.Get("If-None-Match"))
	})
}

// conditional reports whether answers to o carry an ETag.
func (o Operation) conditional() bool { return o.Method == http.MethodGet && o.Cache != Never }

func cacheControl(o Operation) string {
	switch o.Cache {
	case Shared:
		return "public, max-age=60"
	case Immutable:
		return "public, max-age=31536000, immutable"
	case FewMinutes:
		return "public, max-age=300"
	case Brief:
		return "public, max-age=5"
	}
	return "private, no-cache"
}

// heldWriter keeps a 200 back until it is complete or too large.
type heldWriter struct {
	http.ResponseWriter
	body   bytes.Buffer
	status int
	passed bool
	ownTag bool // the handler sets the whole ETag
}

// WriteHeader holds a 200 back and passes anything else.
func (w *heldWriter) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	if status != http.StatusOK {
		w.pass()
	}
}

// Write implements io.Writer.
func (w *heldWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.passed && w.body.Len()+len(b) > maxTagged {
		w.pass()
	}
	if w.passed {
		return w.ResponseWriter.Write(b)
	}
	return w.body.Write(b)
}

// Unwrap serves http.ResponseController. A flush means that the answer streams.
func (w *heldWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush implements http.Flusher.
func (w *heldWriter) Flush() {
	w.pass()
	_ = http.NewResponseController(w.ResponseWriter).Flush() // a writer that cannot flush sends at the end
}

func (w *heldWriter) pass() {
	if w.passed {
		return
	}
	w.passed = true
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if w.status >= http.StatusBadRequest {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.ResponseWriter.WriteHeader(w.status)
	_, _ = w.ResponseWriter.Write(w.body.Bytes()) // the client may be gone
	w.body.Reset()
}

func (w *heldWriter) finish(ifNoneMatch string) {
	if w.passed {
		return
	}
	h := w.Header()
	tag := h.Get("ETag")
	if !w.ownTag {
		tag = entityTag(tag, w.body.Bytes())
		h.Set("ETag", tag)
	}
	if matches(ifNoneMatch, tag) {
		// A 304 has no body: the client keeps the headers of the answer that it has.
		for _, name := range []string{"Content-Type", "Content-Language", "Content-Length", "Content-Disposition", "X-Content-Type-Options", "Referrer-Policy", "Strict-Transport-Security"} {
			h.Del(name)
		}
		w.ResponseWriter.WriteHeader(http.StatusNotModified)
		return
	}
	w.pass()
}

// entityTag returns the ETag of a body. It is weak, because the body may be compressed
// later. The version that the handler set ("v7") comes first: CheckMatch reads it there.
func entityTag(version string, body []byte) string {
	sum := sha256.Sum256(body)
	hash := base64.RawURLEncoding.EncodeToString(sum[:9])
	if version = strings.Trim(version, `"`); version != "" {
		return `W/"` + version + "." + hash + `"`
	}
	return `W/"` + hash + `"`
}

func matches(header, tag string) bool {
	if strings.TrimSpace(header) == "*" {
		return true
	}
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate != "" && candidate == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// VersionTag is what a handler sets as ETag for a resource with a version.
func VersionTag(version int) string { return `"v` + strconv.Itoa(version) + `"` }

// CheckMatch compares an If-Match header with the current version of a resource. It
// returns nil when the header is empty, "*" or names that version, else a 412.
func CheckMatch(ifMatch string, version int) error {
	ifMatch = strings.TrimSpace(ifMatch)
	if ifMatch == "" || ifMatch == "*" {
		return nil
	}
	for candidate := range strings.SplitSeq(ifMatch, ",") {
		named := strings.Trim(strings.TrimPrefix(strings.TrimSpace(candidate), "W/"), `"`)
		named, _, _ = strings.Cut(named, ".")
		if `"`+named+`"` == VersionTag(version) {
			return nil
		}
	}
	return errStale
}

// IfMatch is CheckMatch for a version that is known later. It returns nil for a header that names no version.
func IfMatch(header string) func(version int) error {
	if header = strings.TrimSpace(header); header == "" || header == "*" {
		return nil
	}
	return func(version int) error { return CheckMatch(header, version) }
}
