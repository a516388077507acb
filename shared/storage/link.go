package storage

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lafaekstreet/backend/shared/clock"
)

// linkWindow is for how long a link stays the same; it can be read for at least
// as long after it was given out.
const linkWindow = time.Hour

// maxLinks bounds the links a process remembers.
const maxLinks = 20_000

// Links gives out addresses of objects to read without credentials. Unlike a
// fresh presigned address each time, a link is the same for an hour, so answers
// that hold one keep their ETag and phones their cached picture.
type Links struct {
	store *Store
	clock clock.Clock

	mu     sync.Mutex
	window time.Time
	known  map[string]string
}

// NewLinks gives out links into s.
func NewLinks(s *Store, now clock.Clock) *Links { return &Links{store: s, clock: now} }

// Link is the address of the object under key; whether there is one is not looked up.
func (l *Links) Link(ctx context.Context, key string) (string, error) {
	window := l.clock.Now().Truncate(linkWindow)
	l.mu.Lock()
	if !l.window.Equal(window) || len(l.known) >= maxLinks {
		l.window, l.known = window, make(map[string]string)
	}
	url, ok := l.known[key]
	l.mu.Unlock()
	if ok {
		return url, nil
	}
	url, err := l.store.presignGetAt(ctx, key, window, 2*linkWindow)
	if err != nil {
		return "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.window.Equal(window) {
		l.known[key] = url
	}
	return url, nil
}

func (s *Store) presignGetAt(ctx context.Context, key string, at time.Time, ttl time.Duration) (string, error) {
	req, err := s.presign.PresignGetObject(ctx, &s3.GetObjectInput{
		Bucket: aws.String(s.bucket), Key: aws.String(key),
	}, s3.WithPresignExpires(ttl), func(o *s3.PresignOptions) { o.Presigner = signerAt{Signer: v4.NewSigner(withoutEscaping), at: at} })
	if err != nil {
		return "", fmt.Errorf("presign link: %w", err)
	}
	return req.URL, nil
}

// withoutEscaping is what S3 wants of a signer: paths are signed as they are.
func withoutEscaping(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }

// signerAt signs as if it were another time.
type signerAt struct {
	*v4.Signer
	at time.Time
}

// PresignHTTP implements s3.HTTPPresignerV4.
func (s signerAt) PresignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, payloadHash, service, region string,
	_ time.Time, opts ...func(*v4.SignerOptions)) (string, http.Header, error) {
	return s.Signer.PresignHTTP(ctx, c, r, payloadHash, service, region, s.at, opts...)
}
