package storage

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/encoding/httpbinding"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

// linkWindow is for how long a link stays the same; it can be read for at least
// as long after it was given out.
const linkWindow = time.Hour

// maxLinks bounds the links a process remembers.
const maxLinks = 20_000

// lookTimeout bounds a question to storage.
const lookTimeout = 5 * time.Second

// lookAttempts is how often it is asked, as the SDK does.
const lookAttempts = 3

// Links gives out addresses of objects to read without credentials. It signs them
// by the SDK's signer alone: S3's client is a megabyte, and most functions do
// nothing else with storage.
type Links struct {
	cfg    aws.Config
	config Config
	clock  timestamp.Clock
	signer *v4.Signer

	mu     sync.Mutex
	window time.Time
	known  map[string]string
}

// NewLinks gives out links into the bucket.
func NewLinks(cfg aws.Config, c Config, now timestamp.Clock) *Links {
	return &Links{cfg: cfg, config: c, clock: now, signer: v4.NewSigner(withoutEscaping)}
}

// Link is the address of the object under key; whether there is one is not looked
// up. Unlike a fresh address each time it is the same for an hour, so answers that
// hold one keep their ETag and phones their cached picture.
func (l *Links) Link(ctx context.Context, key string) (string, error) {
	window := l.clock.Now().Truncate(linkWindow)
	l.mu.Lock()
	if !l.window.Equal(window) || len(l.known) >= maxLinks {
		l.window, l.known = window, make(map[string]string)
	}
	link, ok := l.known[key]
	l.mu.Unlock()
	if ok {
		return link, nil
	}
	link, err := l.sign(ctx, http.MethodGet, l.config.PublicEndpoint, key, window, 2*linkWindow)
	if err != nil {
		return "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.window.Equal(window) {
		l.known[key] = link
	}
	return link, nil
}

// Fresh is an address that can be read for ttl from now on.
func (l *Links) Fresh(ctx context.Context, key string, ttl time.Duration) (string, error) {
	return l.sign(ctx, http.MethodGet, l.config.PublicEndpoint, key, l.clock.Now(), ttl)
}

// Exists reports whether an object has the key.
func (l *Links) Exists(ctx context.Context, key string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	link, err := l.sign(ctx, http.MethodHead, "", key, l.clock.Now(), lookTimeout)
	if err != nil {
		return false, err
	}
	for range lookAttempts {
		var status int
		if status, err = l.head(ctx, link); err != nil {
			continue
		}
		switch status {
		case http.StatusOK:
			return true, nil
		case http.StatusNotFound:
			return false, nil
		}
		err = fmt.Errorf("status %d", status)
		if status < 500 {
			break
		}
	}
	return false, fmt.Errorf("look for object: %w", err)
}

func (l *Links) head(ctx context.Context, link string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, link, http.NoBody)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// sign makes the address of the object under key, good for ttl from at on. An
// empty endpoint is the one the SDK's configuration names.
func (l *Links) sign(ctx context.Context, method, endpoint, key string, at time.Time, ttl time.Duration) (string, error) {
	target, err := l.address(ctx, endpoint, key)
	if err != nil {
		return "", fmt.Errorf("sign link: %w", err)
	}
	target.RawQuery = "X-Amz-Expires=" + strconv.Itoa(int(ttl/time.Second))
	req, err := http.NewRequestWithContext(ctx, method, target.String(), http.NoBody)
	if err != nil {
		return "", fmt.Errorf("sign link: %w", err)
	}
	if l.cfg.Credentials == nil {
		return "", fmt.Errorf("sign link: no credentials")
	}
	credentials, err := l.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return "", fmt.Errorf("sign link: %w", err)
	}
	signed, _, err := l.signer.PresignHTTP(ctx, credentials, req, "UNSIGNED-PAYLOAD", "s3", l.cfg.Region, at)
	if err != nil {
		return "", fmt.Errorf("sign link: %w", err)
	}
	return signed, nil
}

// address is where the object under key is, as S3's client would call it.
func (l *Links) address(ctx context.Context, endpoint, key string) (*url.URL, error) {
	if endpoint == "" {
		endpoint = l.endpoint(ctx)
	}
	at, err := url.Parse(endpoint)
	if err != nil || at.Host == "" {
		return nil, fmt.Errorf("endpoint %q is no URL", endpoint)
	}
	at.Path = strings.TrimSuffix(at.Path, "/")
	// A certificate's wildcard holds for one label.
	if l.config.PathStyle || strings.Contains(l.config.Bucket, ".") {
		at.Path += "/" + l.config.Bucket
	} else {
		at.Host = l.config.Bucket + "." + at.Host
	}
	at.RawPath = at.Path + "/" + httpbinding.EscapePath(key, false)
	at.Path += "/" + key
	return at, nil
}

// endpoint is the one of AWS_ENDPOINT_URL_S3, of AWS_ENDPOINT_URL, or the region's.
func (l *Links) endpoint(ctx context.Context) string {
	for _, source := range l.cfg.ConfigSources {
		if s, ok := source.(interface {
			GetServiceBaseEndpoint(ctx context.Context, sdkID string) (string, bool, error)
		}); ok {
			if value, found, err := s.GetServiceBaseEndpoint(ctx, "S3"); err == nil && found {
				return value
			}
		}
	}
	if l.cfg.BaseEndpoint != nil {
		return *l.cfg.BaseEndpoint
	}
	return "https://s3." + l.cfg.Region + ".amazonaws.com"
}

// withoutEscaping is what S3 wants of a signer: paths are signed as they are.
func withoutEscaping(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }
