package storage_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/logtest"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/translog"
)

// newLog returns a log in a bucket with Object Lock, and a client of the bucket. It is the first day of 2100.
func newLog(t *testing.T, mode storage.LockMode) (*storage.Log, *s3.Client) {
	t.Helper()
	server, err := aws.Start(aws.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	client := s3.NewFromConfig(server.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: awssdk.String("log"), ObjectLockEnabledForBucket: awssdk.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	now := timestamp.NewManual(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
	log, err := storage.NewLog(server.Config(), storage.LogConfig{Bucket: "log", PathStyle: true, LockMode: mode, LockDays: 30}, now)
	if err != nil {
		t.Fatal(err)
	}
	return log, client
}

// TestLogInABucket grows a log in a bucket and reads it.
func TestLogInABucket(t *testing.T) {
	t.Parallel()
	log, client := newLog(t, storage.LockNone)
	c := logtest.Grown(t, log, 3, 250, 300, 600)
	if _, err := translog.Published(log, c.Tree)(t.Context(), 0, 600); err != nil {
		t.Error(err)
	}
	keys, err := log.List(t.Context(), "tile/")
	want := []string{"tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/1", "tile/1/000.p/2", "tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"}
	if err != nil || !slices.Equal(keys, want) {
		t.Errorf("%q %v", keys, err)
	}
	if _, err := log.Get(t.Context(), "tile/0/003", 10); !errors.Is(err, translog.ErrNotFound) {
		t.Error(err)
	}
	if _, err := log.Get(t.Context(), "tile/0/000", 10); !errors.Is(err, storage.ErrTooLarge) {
		t.Error(err)
	}
	for key, want := range map[string]string{"checkpoint": "text/plain; charset=utf-8", "tile/0/000": "application/octet-stream"} {
		head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: awssdk.String("log"), Key: awssdk.String(key)})
		if err != nil || *head.ContentType != want {
			t.Errorf("%s: %v", key, err)
		}
	}
	if err := log.Delete(t.Context(), []string{"nothing"}); err != nil {
		t.Error(err)
	}
}

// TestManyFilesAreListedAndDeleted has more files than S3 lists or deletes in one request.
func TestManyFilesAreListedAndDeleted(t *testing.T) {
	t.Parallel()
	log, _ := newLog(t, storage.LockNone)
	var want []string
	for i := range 1001 {
		want = append(want, fmt.Sprintf("many/%04d", i))
		if err := log.Put(t.Context(), translog.File{Key: want[i]}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := log.List(t.Context(), "many/"); err != nil || !slices.Equal(got, want) {
		t.Errorf("%d files, %v", len(got), err)
	}
	if err := log.Delete(t.Context(), want); err != nil {
		t.Error(err)
	}
	if got, err := log.List(t.Context(), "many/"); err != nil || len(got) > 0 {
		t.Errorf("%q, %v", got, err)
	}
}

// TestFullFilesAreLocked and no others: partial ones are deleted in time, the checkpoint is replaced.
func TestFullFilesAreLocked(t *testing.T) {
	t.Parallel()
	for mode, want := range map[storage.LockMode]types.ObjectLockMode{storage.LockNone: "", storage.LockGovernance: "GOVERNANCE", storage.LockCompliance: "COMPLIANCE"} {
		log, client := newLog(t, mode)
		logtest.Grown(t, log, 300)
		for key, full := range map[string]bool{"tile/0/000": true, "tile/entries/000": true, "tile/0/001.p/44": false, "tile/1/000.p/1": false,
			"tile/entries/001.p/44": false, "checkpoint": false} {
			head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: awssdk.String("log"), Key: awssdk.String(key)})
			if err != nil {
				t.Fatal(err)
			}
			switch locked := full && want != ""; {
			case !locked && head.ObjectLockMode != "":
				t.Errorf("%s %s is locked", mode, key)
			case locked && (head.ObjectLockMode != want || !awssdk.ToTime(head.ObjectLockRetainUntilDate).Equal(time.Date(2100, 1, 31, 0, 0, 0, 0, time.UTC))):
				t.Errorf("%s %s: lock %q until %v", mode, key, head.ObjectLockMode, head.ObjectLockRetainUntilDate)
			}
		}
	}
}

func TestLockIsCheckedAtStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]storage.LogConfig{
		"no mode":   {Bucket: "log"},
		"wrong":     {Bucket: "log", LockMode: "COMPLIANCE", LockDays: 30},
		"no days":   {Bucket: "log", LockMode: storage.LockCompliance},
		"days back": {Bucket: "log", LockMode: storage.LockGovernance, LockDays: -1},
	} {
		if _, err := storage.NewLog(awssdk.Config{}, c, timestamp.System{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
