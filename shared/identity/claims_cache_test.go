package identity

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A process keeps 2,048 tokens at most, however many clients it serves.
func TestClaimsCacheIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	claims := Claims{RegisteredClaims: jwt.RegisteredClaims{ExpiresAt: jwt.NewNumericDate(now.Add(time.Hour))}}
	var v claimsCache
	for i := range uint32(5000) {
		token := sha256.Sum256(binary.BigEndian.AppendUint32(nil, i))
		v.put(token, claims)
		if len(v.claims) > 2048 {
			t.Fatalf("%d tokens are remembered after %d", len(v.claims), i+1)
		}
		if _, ok := v.get(token, now); !ok {
			t.Fatalf("token %d is forgotten at once", i)
		}
	}
	first := sha256.Sum256(binary.BigEndian.AppendUint32(nil, 4999))
	if _, ok := v.get(first, now.Add(time.Hour)); ok || len(v.claims) == 0 {
		t.Error("a token is known after its end")
	}
}
