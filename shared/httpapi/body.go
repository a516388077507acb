package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/warning"
)

// defaultMaxBody is how many bytes of a body an operation reads that does not say otherwise.
const defaultMaxBody = 1 << 20

// bounded ends the request body at the operation's limit. It refuses a body in a coding that the operation does not take, and
// says which one it takes (RFC 9110, 15.5.16). A body that the operation does not take is ignored.
func (a *API) bounded(o Operation, op *huma.Operation, next http.Handler) http.Handler {
	if !takesBody(op) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body, r.ContentLength = http.NoBody, 0
			next.ServeHTTP(w, r)
		})
	}
	limit := o.MaxBody
	if limit == 0 {
		limit = defaultMaxBody
	}
	accepted := "identity"
	if o.Unpacks > 0 {
		accepted = "gzip"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		coding := r.Header.Get("Content-Encoding")
		plain, unpacked := coding == "" || strings.EqualFold(coding, "identity"), o.Unpacks > 0 && IsGzip(coding)
		if !plain && !unpacked {
			w.Header().Set("Accept-Encoding", accepted)
			a.refuse(w, r, errEncoding)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// inputRules says how the requests of one operation are read.
type inputRules struct {
	operation Operation
	huma      *huma.Operation
	aliases   []alias
	numbers   []string // query parameters that are numbers
	registry  huma.Registry
	schema    *huma.Schema // of the JSON body; nil where it has no member to respell
	keys      bool         // Idempotency-Key counts
	unknown   problem.Kind // of the error for a query parameter that is not in known; 0 ignores it
	known     map[string]bool
}

func (a *API) inputRules(o Operation, op *huma.Operation, registry huma.Registry) inputRules {
	rules := inputRules{operation: o, huma: op, aliases: sortedAliases(o.Aliases), numbers: numbersOf(op), registry: registry,
		schema: spellable(registry, op, o.LimitMember != "" || o.Lenient != nil), keys: o.Creates && a.deps.Keys != nil}
	if kind, is := strict(o.Path); is {
		rules.unknown, rules.known = kind, parametersOf(registry, o, op)
	}
	return rules
}

// input reads a request once: the query and the body, in the one form that the
// operation declares. The budget of a body member and the record of an
// Idempotency-Key use the same parsed body as the operation itself.
func (a *API) input(o Operation, op *huma.Operation, registry huma.Registry, next http.Handler) http.Handler {
	rules := a.inputRules(o, op, registry)
	next = a.withUpload(rules, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.Lenient != nil {
			r = r.WithContext(warning.NewContext(r.Context(), warning.NewCollector(r.Context())))
		}
		b, err := rules.read(r)
		if err != nil {
			a.refuse(w, r, asFaultOf(o.Path, err))
			return
		}
		if o.LimitMember != "" && !a.admitMember(w, r, o, b.value) {
			return
		}
		if !rules.keyed(r) {
			next.ServeHTTP(w, r)
			return
		}
		a.once(w, r, b, rules.aliases, next)
	})
}

// keyed reports that the answer to r must be recorded under its Idempotency-Key.
func (i inputRules) keyed(r *http.Request) bool {
	return i.keys && r.Header.Get(idempotencyHeader) != ""
}

// read reads the body and the query of r and leaves in r what the operation decodes.
func (i inputRules) read(r *http.Request) (body, error) {
	b, err := i.readBody(r)
	if err != nil {
		return body{}, err
	}
	b.query = r.URL.RawQuery
	query := r.URL.Query()
	if i.unknown != 0 {
		if err := checkKnown(i.unknown, i.known, query); err != nil {
			return body{}, err
		}
		if err := checkOnce(i.unknown, query); err != nil {
			return body{}, err
		}
	}
	renamed := rename(query, i.aliases)
	if takesInput(i.huma) {
		if err := checkText(r.URL.Path, query); err != nil {
			return body{}, err
		}
	}
	if renamed {
		b.query = query.Encode()
	}
	if err := checkFinite(query, i.numbers); err != nil {
		return body{}, err
	}
	if respelled := respellParameters(i.huma, r, query); renamed || respelled {
		u := *r.URL
		u.RawQuery = query.Encode()
		r.URL = &u
	}
	i.normalize(&b, r, query)
	if i.operation.Multipart != nil && mediaOf(r) == mediaMultipart && i.keyed(r) {
		b.compared = i.comparedForm(r, b.text)
	}
	return b, nil
}

// normalize gives the members of the body the names and spellings of the schema.
func (i inputRules) normalize(b *body, r *http.Request, query url.Values) {
	if !i.parses(r) {
		return
	}
	parsed := b.parse()
	if _, object := b.value.(map[string]any); !object && i.operation.Lenient.takesNone(b.text) {
		warning.FromContext(r.Context()).Add("body", warning.Unreadable)
		b.text, b.value = nil, nil
		b.into(r)
		return
	}
	if !parsed {
		return
	}
	renamed := renameNested(b.value, i.aliases)
	if i.operation.Forms && fromQuery(b.value, query) {
		renamed = true
	}
	if renamed {
		setJSON(r)
	}
	respelled := i.schema != nil && Respell(i.registry, i.schema, b.value)
	if i.keyed(r) {
		b.compared = comparedText(b.value) // with what is left out next
	}
	if left := i.tolerate(r.Context(), b.value); renamed || respelled || left {
		b.encode(r)
	}
}

// fromQuery gives the object the query parameters for members that it does not have, and reports whether there were any.
func fromQuery(value any, query url.Values) bool {
	object, ok := value.(map[string]any)
	if !ok {
		return false
	}
	changed := false
	for name := range query {
		if sent := object[name]; sent == nil || sent == "" {
			object[name], changed = query.Get(name), true
		}
	}
	return changed
}

// tolerate leaves out of a body what a lenient operation cannot read, and reports whether it changed anything.
func (i inputRules) tolerate(ctx context.Context, value any) bool {
	lenient := i.operation.Lenient
	return lenient != nil && i.schema != nil && lenient.Tolerate(i.registry, i.schema, value, warning.FromContext(ctx))
}

// parses reports that something needs the parsed body besides the decoder of the operation.
func (i inputRules) parses(r *http.Request) bool {
	media := mediaOf(r)
	if i.operation.Unpacks > 0 || i.operation.Multipart != nil && media == mediaMultipart {
		return false
	}
	return i.operation.Forms || i.operation.LimitMember != "" || i.schema != nil || len(i.aliases) > 0 || i.keyed(r) && media != mediaMultipart
}

const (
	mediaJSON       = "application/json"
	mediaURLEncoded = "application/x-www-form-urlencoded"
	mediaMultipart  = "multipart/form-data"
)

// body is what a request carried, read once.
type body struct {
	text  []byte // as it was sent, or the JSON text of a form's fields; nil where it was not read
	value any    // of a JSON text, numbers as json.Number; nil before parse
	// compared is the text that an Idempotency-Key compares: with first names and spellings, and with what a lenient
	// operation leaves out. It is nil where the body was not parsed, or the request has no key.
	compared []byte
	query    string // as it came, with first names
}

// readBody reads the body where somebody needs it before the operation's own decoder.
// Reader and Content-Type of r are those of the text read.
func (i inputRules) readBody(r *http.Request) (body, error) {
	media := mediaOf(r)
	if r.Body == nil || !i.reads(r, media) {
		return body{}, nil
	}
	if i.operation.Unpacks > 0 {
		return i.readFile(r)
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return body{}, bodyFault(err)
	}
	if media == "" || strings.HasSuffix(media, "json") {
		raw = withoutNUL(trimmedJSON(raw))
		if string(bytes.TrimSpace(raw)) == "null" { // counts as no body
			raw = nil
		}
	}
	empty := len(bytes.TrimSpace(raw)) == 0
	if i.operation.Forms && media == mediaMultipart && !empty {
		(&body{text: raw}).into(r)
		if err := r.ParseMultipartForm(maxFormMemory); err != nil {
			return body{}, bodyFault(err)
		}
		_ = r.MultipartForm.RemoveAll() // files are not read; what remains, Lambda deletes with the process
		return jsonOfForm(r, r.MultipartForm.Value)
	}
	if i.operation.Forms && empty {
		return jsonOfForm(r, r.URL.Query())
	}
	if i.operation.Forms && media == mediaURLEncoded {
		fields, err := url.ParseQuery(string(raw))
		if err != nil {
			return body{}, errMalformedBody
		}
		return jsonOfForm(r, fields)
	}
	b := body{text: raw}
	b.into(r)
	return b, nil
}

// trimmedJSON is a JSON text without a byte order mark before it and the bytes 0 after it, which some programs add.
func trimmedJSON(raw []byte) []byte {
	return bytes.TrimRight(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")), "\x00")
}

// reads reports whether the body must be read here. Otherwise the operation's
// decoder reads it, or it is not read.
func (i inputRules) reads(r *http.Request, media string) bool {
	if i.operation.Multipart != nil && media == mediaMultipart {
		return i.keyed(r) // else the picture is read once, as it comes
	}
	return i.operation.Forms || i.operation.LimitMember != "" || i.schema != nil || len(i.aliases) > 0 || i.operation.Unpacks > 0 ||
		strings.HasSuffix(media, "json") || i.keyed(r)
}

// parse reads the text as one JSON value. It reports false for anything else,
// which the operation's own decoder then refuses.
func (b *body) parse() bool {
	return unmarshal(b.text, &b.value) == nil
}

// unmarshal is json.Unmarshal, but a value of no fixed type has its numbers as json.Number: JSON has numbers that no
// float64 can hold. Such a number is a fault of its member alone, and none where nobody reads the member.
func unmarshal(text []byte, into any) error {
	free, ok := into.(*any)
	if !ok {
		return json.Unmarshal(text, into)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	*free = value
	return nil
}

var errTrailing = errors.New("expected one JSON value")

// encode makes the parsed value the body of r. Its members are sorted, it has no spaces, and numbers are written as they
// were sent. Only characters that JSON requires to escape are escaped. So a member that is kept as text (device_info) does
// not become longer than it was sent, except for U+2028, U+2029 and bytes that are not UTF-8.
func (b *body) encode(r *http.Request) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(b.value) == nil { // what was parsed can always be written
		(&body{text: text.Bytes()}).into(r)
	}
}

// into makes the text the body of r.
func (b *body) into(r *http.Request) {
	r.Body = io.NopCloser(bytes.NewReader(b.text))
	r.ContentLength = int64(len(b.text))
}

// setJSON sets the Content-Type of r to JSON.
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
		return errTooLarge
	}
	return errMalformedBody.Because(err)
}
