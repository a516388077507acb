package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"
)

// SealPurpose is that of sealed secrets in the table webhooks.
const SealPurpose = "webhook"

// secretBytes is the length of new secrets. Standard Webhooks asks for 24 to 64 bytes.
const secretBytes = 32

// Secret is the key that signs the calls of a webhook.
type Secret []byte

// NewSecret returns a random secret.
func NewSecret() Secret {
	s := make(Secret, secretBytes)
	_, _ = rand.Read(s) // never fails (crypto/rand, Go 1.24)
	return s
}

// Text is the secret as its receiver gets it.
func (s Secret) Text() string { return "whsec_" + base64.StdEncoding.EncodeToString(s) }

// Sign returns a signature of Standard Webhooks for a call: its id, its time in seconds and its body.
func (s Secret) Sign(id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, s)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
