package storage

import (
	"context"
	"fmt"
	"io"
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

// linkWindow is how long Link returns the same address for an object. The address works until the end of the next window:
// 15 to 30 minutes after it was returned. So somebody who kept the address of a picture can read it for 30 minutes at most
// after its report was rejected. A shorter window costs the phones data: with each new address a phone loads a picture again
// (a list of 20 has about 250 KB of thumbnails).
const linkWindow = 15 * time.Minute

// maxLinks is the most addresses that a process remembers.
const maxLinks = 20_000

// headTimeout bounds all attempts of Exists together.
const headTimeout = 5 * time.Second

// readTimeout bounds Read.
const readTimeout = 10 * time.Second

// headAttempts is how often Exists asks S3 before it gives up; the SDK's default.
const headAttempts = 3

// Links makes addresses at which clients read objects without credentials. It is safe for concurrent use.
//
// It uses the SDK's signer and not the S3 client, which would add a megabyte to the binary of functions that need nothing
// else of S3.
type Links struct {
	cfg    aws.Config
	config Config
	clock  timestamp.Clock
	signer *v4.Signer

	mu     sync.Mutex
	window time.Time         // begin of the window that known belongs to
	known  map[string]string // address by key
}

// NewLinks returns the links of the bucket of c.
func NewLinks(cfg aws.Config, c Config, now timestamp.Clock) *Links {
	return &Links{cfg: cfg, config: c, clock: now, signer: v4.NewSigner(withoutEscaping)}
}

// Link returns an address of the object under key. It does not check that the object exists. The address stays the same
// for 15 minutes, so that answers with it keep their ETag and phones can cache the picture.
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

// Fresh returns an address that works for ttl from now on.
func (l *Links) Fresh(ctx context.Context, key string, ttl time.Duration) (string, error) {
	return l.sign(ctx, http.MethodGet, l.config.PublicEndpoint, key, l.clock.Now(), ttl)
}

// Exists reports whether an object has the key.
func (l *Links) Exists(ctx context.Context, key string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, headTimeout)
	defer cancel()
	link, err := l.sign(ctx, http.MethodHead, "", key, l.clock.Now(), headTimeout)
	if err != nil {
		return false, err
	}
	for range headAttempts {
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

// Read returns the object under key. It fails with ErrNotFound if there is none, with ErrTooLarge if it has more than limit bytes.
func (l *Links) Read(ctx context.Context, key string, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	link, err := l.sign(ctx, http.MethodGet, "", key, l.clock.Now(), readTimeout)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("read object: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, ErrNotFound
	default:
		return nil, fmt.Errorf("read object: status %d", res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read object: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, ErrTooLarge
	}
	return body, nil
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

// sign returns an address of the object under key that works for ttl from at on. An empty endpoint stands for that of the
// SDK's configuration.
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

// Origin is the scheme and host of all links, for the policies of pages that show pictures.
func (l *Links) Origin(ctx context.Context) (string, error) {
	at, err := l.address(ctx, l.config.PublicEndpoint, "")
	if err != nil {
		return "", err
	}
	return at.Scheme + "://" + at.Host, nil
}

// address returns the unsigned address of the object under key, the same as the S3 client would use.
func (l *Links) address(ctx context.Context, endpoint, key string) (*url.URL, error) {
	if endpoint == "" {
		endpoint = l.endpoint(ctx)
	}
	at, err := url.Parse(endpoint)
	if err != nil || at.Host == "" {
		return nil, fmt.Errorf("endpoint %q is no URL", endpoint)
	}
	at.Path = strings.TrimSuffix(at.Path, "/")
	// The wildcard of S3's certificate covers one label: a bucket with a dot cannot be part of the host name.
	if l.config.PathStyle || strings.Contains(l.config.Bucket, ".") {
		at.Path += "/" + l.config.Bucket
	} else {
		at.Host = l.config.Bucket + "." + at.Host
	}
	at.RawPath = at.Path + "/" + httpbinding.EscapePath(key, false)
	at.Path += "/" + key
	return at, nil
}

// endpoint returns AWS_ENDPOINT_URL_S3, else AWS_ENDPOINT_URL, else the endpoint of the region.
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

// withoutEscaping makes the signer sign the path as it is, which S3 requires.
func withoutEscaping(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }
