package sigv4_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/lafaekstreet/backend/infra/local/aws/sigv4"
)

var at = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

func verifier(now time.Time) *sigv4.Verifier {
	return &sigv4.Verifier{AccessKeyID: "key", SecretAccessKey: "secret", Now: func() time.Time { return now }}
}

func credentials() awssdk.Credentials {
	return awssdk.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}
}

func kindOf(err error) sigv4.Kind {
	var e *sigv4.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return 0
}

func sign(t *testing.T, service, url, body string, raw bool) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, url, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	if service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", hash)
	}
	err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = raw }).SignHTTP(context.Background(), credentials(), r, hash, service, "us-east-1", at)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHeaderSignatures(t *testing.T) {
	t.Parallel()
	const body = `{"a":1}`
	cases := []struct {
		name, service, url string
		tamper             func(*http.Request) string // returns the body as received
		now                time.Time
		want               sigv4.Kind
	}{
		{name: "json service", service: "sqs", url: "http://h:1/", now: at},
		{name: "escaped path", service: "bedrock", url: "http://h:1/model/us.amazon.nova-2-lite-v1%3A0/converse", now: at},
		{name: "s3 key with space, plus and accents", service: "s3", url: "http://h:1/b/a%20b%2Bc/Oe%CC%81-cusse.jpg?x=1+2&x-id=PutObject&empty", now: at},
		{name: "other body", service: "sqs", url: "http://h:1/", now: at, want: sigv4.Mismatch, tamper: func(*http.Request) string { return `{"a":2}` }},
		{name: "other body, s3", service: "s3", url: "http://h:1/b/k", now: at, want: sigv4.BadPayload, tamper: func(*http.Request) string { return `{"a":2}` }},
		{name: "other path", service: "s3", url: "http://h:1/b/k", now: at, want: sigv4.Mismatch, tamper: func(r *http.Request) string { r.URL.Path = "/b/other"; return body }},
		{name: "other method", service: "s3", url: "http://h:1/b/k", now: at, want: sigv4.Mismatch, tamper: func(r *http.Request) string { r.Method = http.MethodPut; return body }},
		{name: "other host", service: "s3", url: "http://h:1/b/k", now: at, want: sigv4.Mismatch, tamper: func(r *http.Request) string { r.Host = "evil"; return body }},
		{name: "added x-amz header", service: "s3", url: "http://h:1/b/k", now: at, want: sigv4.Mismatch, tamper: func(r *http.Request) string { r.Header.Set("X-Amz-Acl", "public-read"); return body }},
		{name: "late", service: "sqs", url: "http://h:1/", now: at.Add(16 * time.Minute), want: sigv4.Skewed},
		{name: "no signature", service: "sqs", url: "http://h:1/", now: at, want: sigv4.Missing, tamper: func(r *http.Request) string { r.Header.Del("Authorization"); return body }},
		{name: "unknown key", service: "sqs", url: "http://h:1/", now: at, want: sigv4.UnknownKey, tamper: func(r *http.Request) string {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "=key/", "=else/", 1))
			return body
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, received := sign(t, c.service, c.url, body, c.service == "s3"), body
			if c.tamper != nil {
				received = c.tamper(r)
			}
			if err := verifier(c.now).Verify(r, []byte(received)); kindOf(err) != c.want {
				t.Fatalf("error %v (kind %d), want kind %d", err, kindOf(err), c.want)
			}
		})
	}
}

func TestPresigned(t *testing.T) {
	t.Parallel()
	presign := func(t *testing.T) *http.Request {
		r := httptest.NewRequest(http.MethodPut, "http://h:1/b/k.jpg?X-Amz-Expires=60", nil)
		r.Header.Set("Content-Type", "image/jpeg")
		r.ContentLength = 3
		url, _, err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).
			PresignHTTP(context.Background(), credentials(), r, sigv4.UnsignedPayload, "s3", "us-east-1", at)
		if err != nil {
			t.Fatal(err)
		}
		signed := httptest.NewRequest(http.MethodPut, url, strings.NewReader("abc"))
		signed.Header.Set("Content-Type", "image/jpeg")
		return signed
	}
	cases := []struct {
		name   string
		tamper func(*http.Request)
		now    time.Time
		want   sigv4.Kind
	}{
		{name: "as signed", now: at.Add(59 * time.Second)},
		{name: "expired", now: at.Add(61 * time.Second), want: sigv4.Expired},
		{name: "other content type", now: at, want: sigv4.Mismatch, tamper: func(r *http.Request) { r.Header.Set("Content-Type", "text/html") }},
		{name: "other length", now: at, want: sigv4.Mismatch, tamper: func(r *http.Request) { r.ContentLength = 4 }},
		{name: "longer life", now: at, want: sigv4.Mismatch, tamper: func(r *http.Request) {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "X-Amz-Expires=60", "X-Amz-Expires=600", 1)
		}},
		{name: "over a week", now: at, want: sigv4.Malformed, tamper: func(r *http.Request) {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "X-Amz-Expires=60", "X-Amz-Expires=700000", 1)
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := presign(t)
			if c.tamper != nil {
				c.tamper(r)
			}
			if err := verifier(c.now).Verify(r, []byte("abc")); kindOf(err) != c.want {
				t.Fatalf("error %v, want kind %d", err, c.want)
			}
		})
	}
}
