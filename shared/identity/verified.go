package identity

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxVerified bounds how many verified tokens a process keeps.
const maxVerified = 2048

// verified remembers tokens whose signature has been checked, by their hash: a
// phone sends the same one for an hour, and checking it costs more than most
// queries. The session is checked for each request all the same, and the token's
// end is checked here.
type verified struct {
	mu     sync.Mutex
	claims map[[sha256.Size]byte]Claims
}

// known returns the claims of a token that was checked before and has not ended.
func (v *verified) known(token [sha256.Size]byte, now time.Time) (Claims, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c, ok := v.claims[token]
	if ok && !now.Before(c.ExpiresAt.Time) {
		delete(v.claims, token)
		return Claims{}, false
	}
	return c, ok
}

// remember keeps the claims of a token that was just checked. When there are too
// many, all are forgotten: they are checked again as they come.
func (v *verified) remember(token [sha256.Size]byte, c Claims) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.claims == nil || len(v.claims) >= maxVerified {
		v.claims = make(map[[sha256.Size]byte]Claims)
	}
	v.claims[token] = c
}
