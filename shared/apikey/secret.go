// Package apikey has the keys by which other systems write over Open311: how a secret is made, and which key it belongs to.
package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// prefix begins each secret, so that programs that search for lost secrets recognise one.
const prefix = "lsk_"

// NewSecret makes a secret of 256 random bits, as the other system sends it.
func NewSecret() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	return prefix + base64.RawURLEncoding.EncodeToString(random[:])
}

// Hash is what is kept of a secret: its SHA-256. A secret of 256 random bits needs no slow hash.
func Hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
