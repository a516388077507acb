package credential

import (
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/seal"
)

// InvitationLife is how long the link of an invitation works, and how long its role waits.
const InvitationLife = 7 * 24 * time.Hour

const macInvitation = "invitation"

// tokenLength is the length of the token of an invitation: the id of the person and 32 random bytes. A signed link (JWT) has
// dots, so that the two are never taken for each other.
const tokenLength = len(uuid.UUID{}) + 32

// NewInvitationToken is the token of a new invitation, as it stands in the link, and its keyed hash, which is stored.
func NewInvitationToken(s *seal.Sealer, user uuid.UUID) (string, []byte) {
	raw := make([]byte, tokenLength)
	copy(raw, user[:])
	_, _ = rand.Read(raw[len(user):]) // never fails (crypto/rand, Go 1.24)
	return base64.RawURLEncoding.EncodeToString(raw), s.MAC(macInvitation, raw)
}

// InvitationToken is the token of an invitation that somebody sent.
type InvitationToken struct {
	User uuid.UUID
	raw  []byte
}

// ReadInvitationToken reads a token; false for anything else, such as a signed link.
func ReadInvitationToken(text string) (InvitationToken, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != tokenLength {
		return InvitationToken{}, false
	}
	return InvitationToken{User: uuid.UUID(raw[:16]), raw: raw}, true
}

// Proves reports whether hash is the stored hash of t.
func (t InvitationToken) Proves(s *seal.Sealer, hash []byte) bool {
	return s.CheckMAC(macInvitation, hash, t.raw)
}
