package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/identity"
)

const (
	idempotencyHeader = "Idempotency-Key"
	replayHeader      = "Idempotent-Replay"
)

// IsIdempotencyKey reports whether key is one to 200 visible characters of ASCII.
func IsIdempotencyKey(key string) bool {
	return key != "" && len(key) <= 200 && !strings.ContainsFunc(key, func(r rune) bool { return r < '!' || r > '~' })
}

// once runs a request, or answers a repeat of it with the first answer. An operation that works in a
// transaction records its answer there (RecordAnswer), so that no crash comes
// between the effect and the record. For others it is recorded afterwards.
func (a *API) once(w http.ResponseWriter, r *http.Request, b body, aliases []alias, next http.Handler) {
	key := r.Header.Get(idempotencyHeader)
	if !IsIdempotencyKey(key) {
		a.refuse(w, r, errKeyInvalid)
		return
	}
	claim, first, err := a.deps.Keys.Claim(r.Context(), owner(r), key, hashesOf(r, b, aliases))
	switch {
	case errors.Is(err, errKeyReused):
		a.refuse(w, r, errKeyUsed)
	case errors.Is(err, errRequestRunning):
		a.refuse(w, r, errInProgress)
	case err != nil:
		a.refuse(w, r, err)
	case first != nil && first.Status == http.StatusGone: // only the erasure of a person writes this status
		a.refuse(w, r, errAnswerErased)
	case first != nil:
		a.replay(w, r, first)
	default:
		a.run(w, r, claim, next)
	}
}

// replay gives the first answer again.
func (a *API) replay(w http.ResponseWriter, r *http.Request, first *recordedAnswer) {
	caller, _ := identity.FromContext(r.Context()) // nobody has uuid.Nil
	body, err := a.deps.Keys.replayed(r.Context(), caller.UserID, first.Body)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set(replayHeader, "true")
	w.Header().Set("Content-Type", first.ContentType)
	w.WriteHeader(first.Status)
	_, _ = w.Write(body) // the client may be gone
}

func (a *API) run(w http.ResponseWriter, r *http.Request, claim *keyClaim, next http.Handler) {
	ctx := withClaim(r.Context(), claim)
	tee := &teeWriter{ResponseWriter: w, status: http.StatusOK}
	finished := false
	defer func() {
		// Also when the handler panics: an unfinished claim must not block the retry.
		answer := recordedAnswer{Status: tee.status, ContentType: w.Header().Get("Content-Type"), Body: tee.body.Bytes()}
		if err := claim.Finish(ctx, finished, answer); err != nil {
			a.deps.Log.WarnContext(ctx, "idempotency record not finished", "error", err)
		}
	}()
	next.ServeHTTP(tee, r.WithContext(ctx))
	finished = true
}

// owner separates the keys of one person from those of another.
func owner(r *http.Request) string {
	if c, ok := identity.FromContext(r.Context()); ok {
		return c.UserID.String()
	}
	return "anonymous"
}

type teeWriter struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader notes the status.
func (w *teeWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *teeWriter) Write(b []byte) (int, error) {
	w.body.Write(b)
	return w.ResponseWriter.Write(b)
}

// requestHashes compare requests with the same Idempotency-Key. Two requests are the same if one of the two hashes is equal.
type requestHashes struct {
	// value compares a JSON body as a value: the order of members, spaces, aliases and spellings do not count.
	value [sha256.Size]byte
	// text compares the text of the body with aliases renamed. The version before December 2026 uses only this hash.
	// When no function of that version can run any more, delete it and renameText.
	text [sha256.Size]byte
}

// hashesOf makes the hashes of a request whose body was read.
func hashesOf(r *http.Request, b body, aliases []alias) requestHashes {
	text := withoutBoundary(r, b.text)
	value := text
	if b.compared != nil {
		value = b.compared
	}
	if mediaOf(r) != mediaMultipart && len(aliases) > 0 {
		text = renameText(text, aliases)
	}
	return requestHashes{value: hashOf(r, r.URL.RawQuery, value), text: hashOf(r, b.query, text)}
}

// withoutBoundary returns the text of a multipart body without its boundary, which every retry chooses anew; any other text
// as it is.
func withoutBoundary(r *http.Request, text []byte) []byte {
	if media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && media == mediaMultipart {
		return bytes.ReplaceAll(text, []byte(params["boundary"]), nil)
	}
	return text
}

// comparedText returns one text for all JSON texts of a value: without spaces, with sorted members and with one spelling of
// each number.
func comparedText(value any) []byte {
	text, _ := json.Marshal(withPlainNumbers(value)) // what was parsed can always be written
	return text
}

// comparedForm is comparedText of a multipart form: of its members and its pictures. The order of the parts, their headers
// and the boundary do not count. It is nil for a form that cannot be read.
func (i inputRules) comparedForm(r *http.Request, text []byte) []byte {
	_, members, files, err := i.readForm(r.Context(), r.Header.Get("Content-Type"), bytes.NewReader(text))
	if err != nil {
		return nil
	}
	return comparedText(map[string]any{"members": members, "files": files})
}

// withPlainNumbers returns value with one spelling of each number: 125.50, 125.5 and 1.255e2 are the same.
func withPlainNumbers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			out[name] = withPlainNumbers(member)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = withPlainNumbers(element)
		}
		return out
	case json.Number:
		return plainNumber(v)
	}
	return value
}

// plainNumber returns a number as its digits without outer zeros and a power of ten. It computes nothing, so a number with
// a huge exponent costs as much as any other. An exponent that is no int stays as it was sent.
func plainNumber(n json.Number) json.Number {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(n.String()), "e")
	sign := ""
	if rest, negative := strings.CutPrefix(mantissa, "-"); negative {
		mantissa, sign = rest, "-"
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	power := 0
	if exponent != "" {
		var err error
		if power, err = strconv.Atoi(exponent); err != nil {
			return n
		}
	}
	digits := strings.TrimLeft(whole+fraction, "0")
	power -= len(fraction)
	significant := strings.TrimRight(digits, "0")
	if significant == "" {
		return "0"
	}
	return json.Number(sign + significant + "e" + strconv.Itoa(power+len(digits)-len(significant)))
}

// same reports whether the hashes belong to the request whose hashes are in the two columns.
func (h requestHashes) same(requestHash, valueHash []byte) bool {
	return bytes.Equal(requestHash, h.text[:]) || bytes.Equal(valueHash, h.valueHash(requestHash))
}

// valueHash is what the column value_hash holds beside the given request_hash. It depends on both, because the version
// before replaces request_hash alone.
func (h requestHashes) valueHash(requestHash []byte) []byte {
	sum := sha256.Sum256(append(bytes.Clone(requestHash), h.value[:]...))
	return sum[:]
}

func hashOf(r *http.Request, query string, text []byte) [sha256.Size]byte {
	h := sha256.New()
	_, _ = io.WriteString(h, r.Method+" "+r.URL.Path+"?"+query+"\n") // a hash does not fail
	_, _ = h.Write(text)
	return [sha256.Size]byte(h.Sum(nil))
}
