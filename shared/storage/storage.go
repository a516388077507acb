// Package storage keeps pictures and exports in S3: private buckets, presigned
// addresses, nothing public.
package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// Config names the bucket.
type Config struct {
	Bucket string `env:"MEDIA_BUCKET,required,notEmpty"`
	// PathStyle addresses buckets by path, as most stand-ins and other vendors' stores want it.
	PathStyle bool `env:"S3_PATH_STYLE" envDefault:"false"`
	// PublicEndpoint is where clients reach S3 when that differs from where we do; empty for the same.
	PublicEndpoint string `env:"S3_PUBLIC_ENDPOINT"`
}

// Prefixes of the bucket's keys. Only those under Originals raise events.
const (
	Originals  = catalog.OriginalsPrefix // as uploaded; sealed, expiring
	Renditions = "renditions/"           // re-encoded without metadata
	Exports    = "exports/"
)

// ErrNotFound reports that no object has the key.
var ErrNotFound = errors.New("object not found")

// ErrTooLarge reports an object larger than the reader was ready for.
var ErrTooLarge = errors.New("object is too large")

// Store is one bucket.
type Store struct {
	s3      *s3.Client
	presign *s3.PresignClient
	bucket  string
}

// New uses cfg's credentials and endpoints.
func New(cfg aws.Config, c Config) *Store {
	options := func(endpoint string) func(*s3.Options) {
		return func(o *s3.Options) {
			o.UsePathStyle = c.PathStyle
			o.DisableLogOutputChecksumValidationSkipped = true // an object without a checksum is no news
			if endpoint != "" {
				o.BaseEndpoint = aws.String(endpoint)
			}
		}
	}
	return &Store{
		s3:      s3.NewFromConfig(cfg, options("")),
		presign: s3.NewPresignClient(s3.NewFromConfig(cfg, options(c.PublicEndpoint))),
		bucket:  c.Bucket,
	}
}

// Presigned is a request a client sends by itself.
type Presigned struct {
	Method  string
	URL     string
	Headers http.Header
}

// PresignPut lets a client store exactly size bytes of contentType under key
// within ttl; S3 refuses anything else.
func (s *Store) PresignPut(ctx context.Context, key, contentType string, size int64, ttl time.Duration) (Presigned, error) {
	req, err := s.presign.PresignPutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(s.bucket), Key: aws.String(key),
		ContentType: aws.String(contentType), ContentLength: aws.Int64(size),
	}, s3.WithPresignExpires(ttl))
	if err != nil {
		return Presigned{}, fmt.Errorf("presign put: %w", err)
	}
	return presigned(req), nil
}

func presigned(r *v4.PresignedHTTPRequest) Presigned {
	h := r.SignedHeader.Clone()
	h.Del("Host")
	return Presigned{Method: r.Method, URL: r.URL, Headers: h}
}

// Put stores body under key.
func (s *Store) Put(ctx context.Context, key, contentType string, body []byte) error {
	out, err := s.s3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(s.bucket), Key: aws.String(key), ContentType: aws.String(contentType), Body: bytes.NewReader(body),
	})
	if err == nil {
		err = answered(out.ETag)
	}
	if err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	return nil
}

// Read returns the object under key, or ErrNotFound; or ErrTooLarge for one over limit bytes.
func (s *Store) Read(ctx context.Context, key string, limit int64) ([]byte, error) {
	out, err := s.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key)})
	if err != nil {
		return nil, fmt.Errorf("get object: %w", notFound(err))
	}
	defer func() { _ = out.Body.Close() }()
	if err := answered(out.ETag); err != nil {
		return nil, fmt.Errorf("get object: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(out.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read object: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("read object of more than %d bytes: %w", limit, ErrTooLarge)
	}
	return body, nil
}

// Delete removes the object under key; removing nothing is no error.
func (s *Store) Delete(ctx context.Context, key string) error {
	if _, err := s.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key)}); err != nil {
		return fmt.Errorf("delete object: %w", err)
	}
	return nil
}

// answered refuses what only looks like success: S3 names the version of every
// object it has stored or gives out. A proxy's page or half an answer does not.
func answered(etag *string) error {
	if aws.ToString(etag) == "" {
		return errors.New("the answer names no object")
	}
	return nil
}

func notFound(err error) error {
	var key *types.NoSuchKey
	var head *types.NotFound
	if errors.As(err, &key) || errors.As(err, &head) {
		return ErrNotFound
	}
	return err
}
