package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/translog"
)

// LockMode says who may delete full tiles and bundles of the public log before their time: Object Lock of S3.
type LockMode string

// The lock modes.
const (
	LockNone       LockMode = "none"       // whoever may delete objects
	LockGovernance LockMode = "governance" // whoever has a right of its own for it
	LockCompliance LockMode = "compliance" // nobody, the account's root user included
)

// LogConfig says where the files of the public log are.
type LogConfig struct {
	Bucket string `env:"LOG_BUCKET,required,notEmpty"`
	// PathStyle is the same as in Config.
	PathStyle bool     `env:"S3_PATH_STYLE" envDefault:"false"`
	LockMode  LockMode `env:"LOG_LOCK_MODE" envDefault:"none"`
	// LockDays is how long a lock holds, from when the file is written.
	LockDays int `env:"LOG_LOCK_DAYS" envDefault:"3650"`
}

// Log keeps the files of the public log in a bucket of its own. It implements translog.Store.
type Log struct {
	store *Store
	mode  types.ObjectLockMode // empty for none
	days  int
	clock timestamp.Clock
}

// NewLog returns a Log in the bucket of c.
func NewLog(cfg aws.Config, c LogConfig, clock timestamp.Clock) (*Log, error) {
	l := &Log{store: New(cfg, Config{Bucket: c.Bucket, PathStyle: c.PathStyle}), days: c.LockDays, clock: clock}
	switch c.LockMode {
	case LockNone:
		return l, nil
	case LockGovernance:
		l.mode = types.ObjectLockModeGovernance
	case LockCompliance:
		l.mode = types.ObjectLockModeCompliance
	default:
		return nil, fmt.Errorf("LOG_LOCK_MODE is %q, not none, governance or compliance", c.LockMode)
	}
	if c.LockDays < 1 {
		return nil, errors.New("LOG_LOCK_DAYS is not positive")
	}
	return l, nil
}

// Get implements translog.Reader.
func (l *Log) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	data, err := l.store.Read(ctx, key, limit)
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%w: %s", translog.ErrNotFound, key)
	}
	return data, err
}

// Put implements translog.Store. A full file is locked, if the configuration says so; the bucket has no lock of its own
// that would hold for other files.
func (l *Log) Put(ctx context.Context, f translog.File) error {
	in := &s3.PutObjectInput{Bucket: aws.String(l.store.bucket), Key: aws.String(f.Key), Body: bytes.NewReader(f.Data),
		ContentType: aws.String("application/octet-stream")}
	if f.Key == translog.CheckpointKey {
		in.ContentType = aws.String("text/plain; charset=utf-8")
	}
	if f.Full && l.mode != "" {
		in.ObjectLockMode = l.mode
		in.ObjectLockRetainUntilDate = aws.Time(l.clock.Now().AddDate(0, 0, l.days))
		in.ChecksumAlgorithm = types.ChecksumAlgorithmSha256 // S3 takes no lock without a checksum
	}
	out, err := l.store.s3.PutObject(ctx, in)
	if err == nil {
		err = checkETag(out.ETag)
	}
	if err != nil {
		return fmt.Errorf("put log file: %w", err)
	}
	return nil
}

// List implements translog.Store.
func (l *Log) List(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	pages := s3.NewListObjectsV2Paginator(l.store.s3, &s3.ListObjectsV2Input{Bucket: aws.String(l.store.bucket), Prefix: aws.String(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list log files: %w", err)
		}
		for _, object := range page.Contents {
			keys = append(keys, aws.ToString(object.Key))
		}
	}
	return keys, nil
}

// Delete implements translog.Store. The bucket keeps deleted versions for a while.
func (l *Log) Delete(ctx context.Context, keys []string) error {
	const together = 1000 // S3 takes no more in a request
	for len(keys) > 0 {
		n := min(together, len(keys))
		objects := make([]types.ObjectIdentifier, n)
		for i, key := range keys[:n] {
			objects[i].Key = aws.String(key)
		}
		out, err := l.store.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: aws.String(l.store.bucket),
			Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)}})
		if err != nil {
			return fmt.Errorf("delete log files: %w", err)
		}
		if len(out.Errors) > 0 {
			return fmt.Errorf("delete log file %s: %s", aws.ToString(out.Errors[0].Key), strings.TrimSpace(aws.ToString(out.Errors[0].Message)))
		}
		keys = keys[n:]
	}
	return nil
}
