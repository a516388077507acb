package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"github.com/lafaekstreet/backend/shared/admission"
	"io"
	"net/http"
	"strings"
)

// limitedByMember spends one request of the operation's class for the caller
// and the value of a body member together. It runs on the normalized body.
func (a *API) limitedByMember(o Operation, next http.Handler) http.Handler {
	if o.LimitMember == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			a.refuse(w, r, bodyFault(err))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(raw))
		key := limitKey(r) + "|" + memberHash(raw, o.LimitMember)
		if a.admit(w, r, []admission.Spend{{Class: o.Limit, Key: key, Cost: 1}}) {
			next.ServeHTTP(w, r)
		}
	})
}

// memberHash stands for a member's value in keys: what it names may be personal.
// Anything that is no text counts as one and the same value.
func memberHash(body []byte, member string) string {
	var object map[string]json.RawMessage
	var value string
	if json.Unmarshal(body, &object) == nil {
		_ = json.Unmarshal(object[member], &value) // not a text: as if it were absent
	}
	return hashed(strings.ToLower(strings.TrimSpace(value)))
}

// hashed stands in a key for what may be personal: addresses of networks and of people.
func hashed(value string) string {
	sum := sha256.Sum256([]byte("lafaekstreet limit " + value))
	return hex.EncodeToString(sum[:12])
}
