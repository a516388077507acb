// Package storage keeps pictures and exports in a private S3 bucket. Clients read and write its objects by presigned
// addresses only.
package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// Config says which bucket it is and how it is addressed.
type Config struct {
	Bucket string `env:"MEDIA_BUCKET,required,notEmpty"`
	// PathStyle puts the bucket's name into the path of an address instead of its host name. Most stores that are not AWS
	// need it.
	PathStyle bool `env:"S3_PATH_STYLE" envDefault:"false"`
	// PublicEndpoint is the address at which clients reach S3; empty when it is the one the functions use.
	PublicEndpoint string `env:"S3_PUBLIC_ENDPOINT"`
}

// Prefixes of the bucket's keys. S3 sends events for those under Originals only.
const (
	Originals  = catalog.OriginalsPrefix // pictures as uploaded; encrypted, deleted by a lifecycle rule
	Renditions = "renditions/"           // pictures re-encoded without metadata
	Exports    = "exports/"              // open data files
	Imports    = "imports/"              // files that riders send for their journeys; deleted by a lifecycle rule
	Routes     = "routes/"               // files with routes that are too large for an answer; deleted by a lifecycle rule
)

// ErrNotFound reports that no object has the key.
var ErrNotFound = errors.New("object not found")

// ErrTooLarge reports an object larger than the limit of the reader.
var ErrTooLarge = errors.New("object is too large")

// Store reads and writes the objects of one bucket.
type Store struct {
	s3      *s3.Client
	presign *s3.PresignClient
	bucket  string
}

// New returns a Store of the bucket of c that uses the credentials and endpoints of cfg.
func New(cfg aws.Config, c Config) *Store {
	options := func(endpoint string) func(*s3.Options) {
		return func(o *s3.Options) {
			o.UsePathStyle = c.PathStyle
			o.DisableLogOutputChecksumValidationSkipped = true // objects without a checksum are normal
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

// Presigned is a request that a client can send without credentials.
type Presigned struct {
	Method  string
	URL     string
	Headers http.Header
}

// PresignPut returns the request with which a client can store exactly size bytes of contentType under key within ttl. S3
// refuses any other.
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
		err = checkETag(out.ETag)
	}
	if err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	return nil
}

// Object says how an object is stored.
type Object struct {
	Key         string
	ContentType string
	Encoding    string // Content-Encoding, such as "gzip"; empty for none
	Disposition string // Content-Disposition; empty for none
}

// PutFile stores a file without reading all of it into memory.
func (s *Store) PutFile(ctx context.Context, o Object, file *os.File) error {
	in := &s3.PutObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(o.Key), ContentType: aws.String(o.ContentType), Body: file}
	if o.Encoding != "" {
		in.ContentEncoding = aws.String(o.Encoding)
	}
	if o.Disposition != "" {
		in.ContentDisposition = aws.String(o.Disposition)
	}
	out, err := s.s3.PutObject(ctx, in)
	if err == nil {
		err = checkETag(out.ETag)
	}
	if err != nil {
		return fmt.Errorf("put file: %w", err)
	}
	return nil
}

// Open returns a reader of the object under key, which the caller must close. It fails with ErrNotFound if there is none,
// with ErrTooLarge if it has more than limit bytes.
func (s *Store) Open(ctx context.Context, key string, limit int64) (io.ReadCloser, error) {
	out, err := s.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key)})
	if err != nil {
		return nil, fmt.Errorf("get object: %w", notFound(err))
	}
	err = checkETag(out.ETag)
	if err == nil && aws.ToInt64(out.ContentLength) > limit {
		err = fmt.Errorf("of more than %d bytes: %w", limit, ErrTooLarge)
	}
	if err != nil {
		_ = out.Body.Close()
		return nil, fmt.Errorf("get object: %w", err)
	}
	return out.Body, nil
}

// Read returns the object under key. It fails with ErrNotFound if there is none, with ErrTooLarge if it has more than limit
// bytes.
func (s *Store) Read(ctx context.Context, key string, limit int64) ([]byte, error) {
	out, err := s.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key)})
	if err != nil {
		return nil, fmt.Errorf("get object: %w", notFound(err))
	}
	defer func() { _ = out.Body.Close() }()
	if err := checkETag(out.ETag); err != nil {
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

// Copy stores the object under from also under to. It fails with ErrNotFound if there is none.
func (s *Store) Copy(ctx context.Context, from, to string) error {
	out, err := s.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(to),
		CopySource: aws.String((&url.URL{Path: s.bucket + "/" + from}).EscapedPath())})
	var missing smithy.APIError
	switch {
	case errors.As(err, &missing) && missing.ErrorCode() == "NoSuchKey":
		err = ErrNotFound
	case err == nil && out.CopyObjectResult == nil:
		err = errors.New("the answer has no result")
	case err == nil:
		err = checkETag(out.CopyObjectResult.ETag)
	}
	if err != nil {
		return fmt.Errorf("copy object: %w", err)
	}
	return nil
}

// Delete deletes the object under key. It is no error when there is none.
func (s *Store) Delete(ctx context.Context, key string) error {
	if _, err := s.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key)}); err != nil {
		return fmt.Errorf("delete object: %w", err)
	}
	return nil
}

// DeleteVersions deletes the object under key with all its earlier versions, so that nobody can read it again. It is no
// error when there is none. A store that keeps no versions deletes the object.
func (s *Store) DeleteVersions(ctx context.Context, key string) error {
	pages := s3.NewListObjectVersionsPaginator(s.s3, &s3.ListObjectVersionsInput{Bucket: aws.String(s.bucket), Prefix: aws.String(key)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		var unknown smithy.APIError
		if errors.As(err, &unknown) && unknown.ErrorCode() == "NotImplemented" {
			return s.Delete(ctx, key)
		}
		if err != nil {
			return fmt.Errorf("list versions of object: %w", err)
		}
		var versions []*string
		for _, v := range page.Versions {
			if aws.ToString(v.Key) == key {
				versions = append(versions, v.VersionId)
			}
		}
		for _, v := range page.DeleteMarkers {
			if aws.ToString(v.Key) == key {
				versions = append(versions, v.VersionId)
			}
		}
		for _, version := range versions {
			if _, err := s.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key), VersionId: version}); err != nil {
				return fmt.Errorf("delete version of object: %w", err)
			}
		}
	}
	return nil
}

// checkETag refuses an answer that only looks like a success, such as a page of a proxy: S3 gives the ETag of every object
// it stores or returns.
func checkETag(etag *string) error {
	if aws.ToString(etag) == "" {
		return errors.New("the answer has no ETag")
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
