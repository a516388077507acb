// Package sigv4 checks AWS Signature Version 4 as the services do, in two forms: the Authorization header and the
// presigned query.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm = "AWS4-HMAC-SHA256"
	timeForm  = "20060102T150405Z"
	// maxSkew is how far a signed request's time may be from the server's.
	maxSkew = 15 * time.Minute
	// maxExpiry is the longest life of a presigned URL.
	maxExpiry = 7 * 24 * time.Hour
	// UnsignedPayload stands for the body's hash where the body is not signed.
	UnsignedPayload = "UNSIGNED-PAYLOAD"
)

// Kind says why a request was refused.
type Kind int

// The reasons for a refusal. Each service has its own error codes for them.
const (
	Missing Kind = iota + 1
	Malformed
	UnknownKey
	Mismatch
	Skewed
	Expired
	BadPayload
)

// Error is a refused signature.
type Error struct {
	Kind   Kind
	Detail string
}

func (e *Error) Error() string { return "sigv4: " + e.Detail }

func refuse(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// Verifier knows one pair of credentials.
type Verifier struct {
	AccessKeyID, SecretAccessKey string
	Now                          func() time.Time
}

type credential struct {
	key, date, region, service string
}

func parseCredential(s string) (credential, error) {
	parts := strings.Split(s, "/")
	if len(parts) != 5 || parts[4] != "aws4_request" {
		return credential{}, refuse(Malformed, "the credential is malformed; expecting <key>/YYYYMMDD/REGION/SERVICE/aws4_request")
	}
	return credential{parts[0], parts[1], parts[2], parts[3]}, nil
}

func (c credential) scope() string {
	return c.date + "/" + c.region + "/" + c.service + "/aws4_request"
}

// Verify checks the signature of r, and that body is the body that was signed. The caller has read body from r. Any
// failure is an *Error.
func (v *Verifier) Verify(r *http.Request, body []byte) error {
	if r.URL.Query().Has("X-Amz-Signature") {
		return v.verifyQuery(r, body)
	}
	return v.verifyHeader(r, body)
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// checkPayload compares the signed hash with the body. It refuses the chunked forms: no client of ours sends them over
// plain HTTP.
func checkPayload(signed string, body []byte) error {
	if signed == UnsignedPayload || signed == hashOf(body) {
		return nil
	}
	return refuse(BadPayload, "the provided 'x-amz-content-sha256' header does not match what was computed")
}

func (v *Verifier) verifyHeader(r *http.Request, body []byte) error {
	auth := r.Header.Get("Authorization")
	if auth == "" {
		return refuse(Missing, "missing authentication token")
	}
	rest, ok := strings.CutPrefix(auth, algorithm+" ")
	if !ok {
		return refuse(Malformed, "the authorization mechanism is not supported; use %s", algorithm)
	}
	fields := map[string]string{}
	for _, part := range strings.Split(rest, ",") {
		if k, val, ok := strings.Cut(strings.TrimSpace(part), "="); ok {
			fields[k] = val
		}
	}
	cred, err := parseCredential(fields["Credential"])
	if err != nil {
		return err
	}
	at, err := time.Parse(timeForm, r.Header.Get("X-Amz-Date"))
	if err != nil {
		return refuse(Malformed, "X-Amz-Date is missing or malformed")
	}
	if skew := v.Now().Sub(at).Abs(); skew > maxSkew {
		return refuse(Skewed, "the difference between the request time and the current time is too large")
	}
	hash := r.Header.Get("X-Amz-Content-Sha256")
	if hash == "" {
		if cred.service == "s3" {
			return refuse(Malformed, "missing required header for this request: x-amz-content-sha256")
		}
		hash = hashOf(body)
	}
	if err := v.check(r, cred, at, strings.Split(fields["SignedHeaders"], ";"), r.URL.RawQuery, hash, fields["Signature"]); err != nil {
		return err
	}
	return checkPayload(hash, body)
}

func (v *Verifier) verifyQuery(r *http.Request, body []byte) error {
	q := r.URL.Query()
	if q.Get("X-Amz-Algorithm") != algorithm {
		return refuse(Malformed, "X-Amz-Algorithm only supports %q", algorithm)
	}
	cred, err := parseCredential(q.Get("X-Amz-Credential"))
	if err != nil {
		return err
	}
	at, err := time.Parse(timeForm, q.Get("X-Amz-Date"))
	if err != nil {
		return refuse(Malformed, "X-Amz-Date must be in the ISO8601 long format")
	}
	seconds, err := strconv.Atoi(q.Get("X-Amz-Expires"))
	life := time.Duration(seconds) * time.Second
	if err != nil || life <= 0 || life > maxExpiry {
		return refuse(Malformed, "X-Amz-Expires must be between 1 and %d seconds", int(maxExpiry/time.Second))
	}
	now := v.Now()
	if at.Sub(now) > maxSkew {
		return refuse(Skewed, "request is not yet valid")
	}
	if now.After(at.Add(life)) {
		return refuse(Expired, "request has expired")
	}
	hash := r.Header.Get("X-Amz-Content-Sha256")
	if hash == "" {
		hash = q.Get("X-Amz-Content-Sha256")
	}
	if hash == "" {
		hash = UnsignedPayload
	}
	var pairs []string
	for _, pair := range strings.Split(r.URL.RawQuery, "&") {
		if !strings.HasPrefix(pair, "X-Amz-Signature=") {
			pairs = append(pairs, pair)
		}
	}
	if err := v.check(r, cred, at, strings.Split(q.Get("X-Amz-SignedHeaders"), ";"), strings.Join(pairs, "&"), hash, q.Get("X-Amz-Signature")); err != nil {
		return err
	}
	return checkPayload(hash, body)
}

func (v *Verifier) check(r *http.Request, cred credential, at time.Time, signed []string, rawQuery, hash, signature string) error {
	if cred.key != v.AccessKeyID {
		return refuse(UnknownKey, "the access key id you provided does not exist in our records")
	}
	if cred.date != at.Format("20060102") {
		return refuse(Malformed, "the date in the credential scope does not match the date in the request")
	}
	if !slices.Contains(signed, "host") {
		return refuse(Malformed, "host must be a signed header")
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && !slices.Contains(signed, lower) {
			return refuse(Mismatch, "there were headers present in the request which were not signed: %s", lower)
		}
	}
	canonical := strings.Join([]string{
		r.Method, canonicalPath(r.URL, cred.service), canonicalQuery(rawQuery), canonicalHeaders(r, signed), strings.Join(signed, ";"), hash,
	}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	toSign := strings.Join([]string{algorithm, at.Format(timeForm), cred.scope(), hex.EncodeToString(sum[:])}, "\n")
	if !v.matches(cred, toSign, signature) {
		return refuse(Mismatch, "the request signature we calculated does not match the signature you provided; check your key and signing method")
	}
	return nil
}

func (v *Verifier) matches(cred credential, toSign, signature string) bool {
	key := []byte("AWS4" + v.SecretAccessKey)
	for _, part := range []string{cred.date, cred.region, cred.service, "aws4_request"} {
		key = mac(key, part)
	}
	got, err := hex.DecodeString(signature)
	return err == nil && hmac.Equal(got, mac(key, toSign))
}

func mac(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	return h.Sum(nil)
}
