package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/lafaekstreet/backend/shared/admission"
)

// admitMember spends one request of the operation's class for the caller and the
// value of a body member together. It answers 429 and reports false when none is left.
func (a *API) admitMember(w http.ResponseWriter, r *http.Request, o Operation, value any) bool {
	key := limitKey(r) + "|" + memberHash(value, o.LimitMember)
	return a.admit(w, r, []admission.Spend{{Class: o.Limit, Key: key, Cost: 1}})
}

// memberHash stands for a member's value in keys, because the value may be personal.
// All values that are not text count as one.
func memberHash(value any, member string) string {
	object, _ := value.(map[string]any)
	text, _ := object[member].(string)
	return hashed(strings.ToLower(strings.TrimSpace(text)))
}

// hashed stands in a key for what may be personal: addresses of networks and of people.
func hashed(value string) string {
	sum := sha256.Sum256([]byte("lafaekstreet limit " + value))
	return hex.EncodeToString(sum[:12])
}
