package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/lafaekstreet/backend/shared/problem"
)

const (
	mediaJSON       = "application/json"
	mediaURLEncoded = "application/x-www-form-urlencoded"
	mediaMultipart  = "multipart/form-data"
)

// body is what a request carried, read once.
type body struct {
	text   []byte // as it came, or the JSON text of a form's fields; nil where it was not read
	value  any    // of a JSON text, numbers as json.Number; nil before parse
	parsed bool
	query  string // as it came, with first names
}

// readBody reads the body where somebody needs it before the operation's own decoder.
// Reader and Content-Type of r are those of the text read.
func (i inputRules) readBody(r *http.Request) (body, error) {
	media := mediaOf(r)
	if r.Body == nil || !i.reads(r, media) {
		return body{}, nil
	}
	if i.operation.Forms && media == mediaMultipart {
		if err := r.ParseMultipartForm(maxFormMemory); err != nil {
			return body{}, bodyFault(err)
		}
		return jsonOfForm(r, r.MultipartForm.Value)
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return body{}, bodyFault(err)
	}
	if i.operation.Forms && (media == mediaURLEncoded || len(bytes.TrimSpace(raw)) == 0) {
		fields, err := fieldsOf(r, media, raw)
		if err != nil {
			return body{}, err
		}
		return jsonOfForm(r, fields)
	}
	if media == "" || strings.HasSuffix(media, "json") {
		raw = withoutNUL(raw)
	}
	b := body{text: raw}
	b.into(r)
	return b, nil
}

// reads reports that the body must be read here. Otherwise the operation's
// decoder reads it, or nobody does.
func (i inputRules) reads(r *http.Request, media string) bool {
	if i.operation.Multipart != nil && media == mediaMultipart {
		return i.keyed(r) // else the picture is read once, as it comes
	}
	return i.operation.Forms || i.operation.LimitMember != "" || i.schema != nil || len(i.aliases) > 0 ||
		strings.HasSuffix(media, "json") || i.keyed(r)
}

// parse reads the text as one JSON value. It reports false for anything else,
// which the operation's own decoder then refuses.
func (b *body) parse() bool {
	decoder := json.NewDecoder(bytes.NewReader(b.text))
	decoder.UseNumber() // numbers go on as they came
	var value any
	if decoder.Decode(&value) != nil {
		return false
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return false
	}
	b.value, b.parsed = value, true
	return true
}

// encode has r carry the parsed value.
func (b *body) encode(r *http.Request) {
	if encoded, err := json.Marshal(b.value); err == nil { // what was parsed can always be written
		(&body{text: encoded}).into(r)
	}
}

// into has r carry the text.
func (b *body) into(r *http.Request) {
	r.Body = io.NopCloser(bytes.NewReader(b.text))
	r.ContentLength = int64(len(b.text))
}

// setJSON has r say that it carries JSON.
func setJSON(r *http.Request) {
	r.Header = r.Header.Clone()
	r.Header.Set("Content-Type", mediaJSON)
}

// mediaOf is the media type of the body, without parameters and in lower case; empty where there is none.
func mediaOf(r *http.Request) string {
	value := r.Header.Get("Content-Type")
	if value == mediaJSON {
		return mediaJSON
	}
	media, _, _ := mime.ParseMediaType(value) // one that cannot be read counts as none
	return media
}

// bodyFault is the answer to a body that could not be read.
func bodyFault(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return problem.New(problem.TooLarge, "too_large")
	}
	return problem.New(problem.Invalid, "malformed_body").Because(err)
}
