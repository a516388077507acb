// Package totp is the second factor: time-based one-time passwords of RFC 6238
// as every authenticator app makes them (SHA-1, 6 digits, 30 s).
//
// Written here because the libraries bring QR drawing and image codecs into the
// functions' binaries.
package totp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"time"
)

// SealPurpose is what secrets at rest are sealed for (shared/seal).
const SealPurpose = "totp"

const (
	period     = 30 // seconds
	secretSize = 20 // bytes, as RFC 4226 recommends
	skew       = 1  // steps a phone's clock may be off, either way
	issuer     = "LafaekStreet"
)

var base = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewSecret is a fresh secret.
func NewSecret() []byte {
	secret := make([]byte, secretSize)
	_, _ = rand.Read(secret) // never fails (crypto/rand, Go 1.24)
	return secret
}

// Text is how a person types the secret into an app.
func Text(secret []byte) string { return base.EncodeToString(secret) }

// URI is what an app reads from a QR code.
func URI(secret []byte, account string) string {
	v := url.Values{"secret": {Text(secret)}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	return "otpauth://totp/" + url.PathEscape(issuer+":"+account) + "?" + v.Encode()
}

// Check returns the time step that code belongs to: the present one or a
// neighbour, and later than lastStep, so that no code works twice.
func Check(secret []byte, code string, now time.Time, lastStep int64) (int64, bool) {
	var step int64
	ok := false
	present := now.Unix() / period
	for candidate := present - skew; candidate <= present+skew; candidate++ {
		same := subtle.ConstantTimeCompare([]byte(Code(secret, candidate)), []byte(code)) == 1
		if same && candidate > lastStep {
			step, ok = candidate, true
		}
	}
	return step, ok
}

// Step is the time step of an instant.
func Step(now time.Time) int64 { return now.Unix() / period }

// Code is the code of a time step (RFC 4226, 5.3).
func Code(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0x0f
	value := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%06d", value%1_000_000)
}
