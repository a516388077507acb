package credential

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

// TOTPSealPurpose is what secrets at rest are sealed for (shared/seal).
const TOTPSealPurpose = "totp"

const (
	period     = 30 // seconds
	secretSize = 20 // bytes, as RFC 4226 recommends
	skew       = 1  // steps a phone's clock may be off, either way
	issuer     = "LafaekStreet"
)

var base = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewTOTPSecret is a fresh secret.
func NewTOTPSecret() []byte {
	secret := make([]byte, secretSize)
	_, _ = rand.Read(secret) // never fails (crypto/rand, Go 1.24)
	return secret
}

// TOTPText is how a person types the secret into an app.
func TOTPText(secret []byte) string { return base.EncodeToString(secret) }

// TOTPURI is what an app reads from a QR code.
func TOTPURI(secret []byte, account string) string {
	v := url.Values{"secret": {TOTPText(secret)}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	return "otpauth://totp/" + url.PathEscape(issuer+":"+account) + "?" + v.Encode()
}

// Enrollment is a secret as a person puts it into an authenticator app: one of the three.
type Enrollment struct {
	_          struct{} `schema:"SecondFactorEnrollment"`
	OTPAuthURI string   `json:"otpauth_uri" doc:"What the QR code says"`
	Secret     string   `json:"secret" doc:"Base32, for typing"`
	QRSVG      string   `json:"qr_svg" doc:"The QR code of otpauth_uri: an SVG image as text, without scripts" example:"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 61 61\">…</svg>"`
}

// NewEnrollment shows a secret to the person who has the account.
func NewEnrollment(secret []byte, account string) (Enrollment, error) {
	uri := TOTPURI(secret, account)
	image, err := QRCode(uri)
	return Enrollment{OTPAuthURI: uri, Secret: TOTPText(secret), QRSVG: image}, err
}

// CheckTOTP returns the time step that code belongs to: the present one or a
// neighbour, and later than lastStep, so that no code works twice.
func CheckTOTP(secret []byte, code string, now time.Time, lastStep int64) (int64, bool) {
	var step int64
	ok := false
	present := now.Unix() / period
	for candidate := present - skew; candidate <= present+skew; candidate++ {
		same := subtle.ConstantTimeCompare([]byte(TOTPCode(secret, candidate)), []byte(code)) == 1
		if same && candidate > lastStep {
			step, ok = candidate, true
		}
	}
	return step, ok
}

// TOTPStep is the time step of an instant.
func TOTPStep(now time.Time) int64 { return now.Unix() / period }

// TOTPCode is the code of a time step (RFC 4226, 5.3).
func TOTPCode(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0x0f
	value := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%06d", value%1_000_000)
}
