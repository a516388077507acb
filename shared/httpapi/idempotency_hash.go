package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"mime"
	"net/http"
)

// requestHashes tell requests under one Idempotency-Key apart. Two requests are the same when one of the two is equal.
type requestHashes struct {
	// value compares a JSON body as a value: the order of members, spaces, aliases and spellings do not count.
	value [sha256.Size]byte
	// text compares the text of the body with aliases renamed. The version before December 2026 knows this hash alone.
	// When no function of that version can run any more, delete it and renameText.
	text [sha256.Size]byte
}

// hashesOf makes the hashes of a request whose body was read.
func hashesOf(r *http.Request, b body, aliases []alias) requestHashes {
	value, text := b.text, b.text
	if b.parsed {
		if encoded, err := json.Marshal(b.value); err == nil { // what was parsed can always be written
			value = encoded
		}
	}
	if mediaOf(r) != mediaMultipart && len(aliases) > 0 {
		text = renameText(text, aliases)
	}
	return requestHashes{value: hashOf(r, r.URL.RawQuery, value), text: hashOf(r, b.query, text)}
}

// same reports that the hashes are those of the request that stored the two columns.
func (h requestHashes) same(requestHash, valueHash []byte) bool {
	return bytes.Equal(requestHash, h.text[:]) || bytes.Equal(valueHash, h.valueHash(requestHash))
}

// valueHash is what the column value_hash holds beside the given request_hash. It depends on both, because the version
// before replaces request_hash alone.
func (h requestHashes) valueHash(requestHash []byte) []byte {
	sum := sha256.Sum256(append(bytes.Clone(requestHash), h.value[:]...))
	return sum[:]
}

// hashOf hashes a request. Each retry chooses another boundary of a multipart body, so the boundary does not count.
func hashOf(r *http.Request, query string, text []byte) [sha256.Size]byte {
	if media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && media == mediaMultipart {
		text = bytes.ReplaceAll(text, []byte(params["boundary"]), nil)
	}
	h := sha256.New()
	_, _ = io.WriteString(h, r.Method+" "+r.URL.Path+"?"+query+"\n") // a hash does not fail
	_, _ = h.Write(text)
	return [sha256.Size]byte(h.Sum(nil))
}
