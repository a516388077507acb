package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"mime"
	"net/http"
)

// requestHash tells requests apart. JSON bodies are compared as values: the order
// of members, spaces, aliases and spellings do not count.
func requestHash(r *http.Request, b body) [sha256.Size]byte {
	text := b.text
	if b.parsed {
		if encoded, err := json.Marshal(b.value); err == nil { // what was parsed can always be written
			text = encoded
		}
	}
	return hashOf(r, r.URL.RawQuery, text)
}

// earlierHash is the hash that the version before 2026-12 stored: of the body's
// text with aliases renamed. Delete it, and renameEarlier, 48 hours after the
// deployment: its records are then gone.
func earlierHash(r *http.Request, b body, aliases []alias) [sha256.Size]byte {
	text := b.text
	if mediaOf(r) != mediaMultipart && len(aliases) > 0 {
		text = renameEarlier(text, aliases)
	}
	return hashOf(r, b.query, text)
}

// hashOf hashes a request. The boundary of a multipart body is chosen anew by
// each retry and does not count.
func hashOf(r *http.Request, query string, text []byte) [sha256.Size]byte {
	if media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && media == mediaMultipart {
		text = bytes.ReplaceAll(text, []byte(params["boundary"]), nil)
	}
	h := sha256.New()
	_, _ = io.WriteString(h, r.Method+" "+r.URL.Path+"?"+query+"\n") // a hash does not fail
	_, _ = h.Write(text)
	return [sha256.Size]byte(h.Sum(nil))
}
