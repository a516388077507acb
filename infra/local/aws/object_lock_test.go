package aws_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/lafaekstreet/backend/infra/local/aws"
)

// lockedBucket returns a client of a bucket with Object Lock.
func lockedBucket(t *testing.T, opts aws.Options) (*aws.Server, *s3.Client) {
	t.Helper()
	server := start(t, opts)
	client := s3.NewFromConfig(server.Config())
	_, err := client.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: awssdk.String(bucket), ObjectLockEnabledForBucket: awssdk.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

func locked(key, body string, mode s3types.ObjectLockMode, until time.Time) *s3.PutObjectInput {
	return &s3.PutObjectInput{Bucket: awssdk.String(bucket), Key: &key, Body: strings.NewReader(body), ObjectLockMode: mode, ObjectLockRetainUntilDate: &until,
		ChecksumAlgorithm: s3types.ChecksumAlgorithmSha256}
}

func read(t *testing.T, client *s3.Client, key string, version *string) string {
	t.Helper()
	out, err := client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: awssdk.String(bucket), Key: &key, VersionId: version})
	if err != nil {
		return codeOf(err)
	}
	raw, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// deleteVersion deletes one version, and returns the code of the error.
func deleteVersion(client *s3.Client, key string, version *string, bypass *bool) string {
	_, err := client.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: awssdk.String(bucket), Key: &key, VersionId: version, BypassGovernanceRetention: bypass})
	return codeOf(err)
}

func TestLockedVersionStaysUntilItsDate(t *testing.T) {
	t.Parallel()
	for name, opts := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := newClock()
			opts.Clock = clock
			_, client := lockedBucket(t, opts)
			ctx, key, bypass := context.Background(), "tile/0/000", awssdk.Bool(true)
			kept := map[s3types.ObjectLockMode]*string{}
			for _, mode := range []s3types.ObjectLockMode{s3types.ObjectLockModeGovernance, s3types.ObjectLockModeCompliance} {
				out, err := client.PutObject(ctx, locked(key, string(mode), mode, clock.Now().Add(time.Hour)))
				if err != nil {
					t.Fatal(err)
				}
				kept[mode] = out.VersionId
			}
			head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: awssdk.String(bucket), Key: &key})
			if err != nil || head.ObjectLockMode != s3types.ObjectLockModeCompliance || head.ObjectLockRetainUntilDate == nil || *head.VersionId != *kept[head.ObjectLockMode] {
				t.Errorf("head: %v, %+v", err, head)
			}
			// Overwriting and deleting leave the versions as they are.
			put(t, client, key, "forged")
			if code := deleteVersion(client, key, nil, nil); code != "" || read(t, client, key, nil) != "NoSuchKey" {
				t.Errorf("delete: %s", code)
			}
			for mode, id := range kept {
				if got := read(t, client, key, id); got != string(mode) {
					t.Errorf("the version of %s is %q", mode, got)
				}
				if code := deleteVersion(client, key, id, nil); code != "AccessDenied" {
					t.Errorf("%s: delete before the date: %q", mode, code)
				}
			}
			if code := deleteVersion(client, key, kept[s3types.ObjectLockModeCompliance], bypass); code != "AccessDenied" {
				t.Errorf("compliance: a permission opens the lock: %q", code)
			}
			if code := deleteVersion(client, key, kept[s3types.ObjectLockModeGovernance], bypass); code != "" {
				t.Errorf("governance: %q", code)
			}
			clock.Advance(2 * time.Hour)
			if code := deleteVersion(client, key, kept[s3types.ObjectLockModeCompliance], nil); code != "" {
				t.Errorf("delete after the date: %q", code)
			}
		})
	}
}

func TestObjectLockIsRefused(t *testing.T) {
	t.Parallel()
	_, plain := newBucket(t, aws.Options{})
	_, client := lockedBucket(t, aws.Options{})
	later := time.Now().Add(time.Hour)
	half := locked("a", "x", s3types.ObjectLockModeGovernance, later)
	half.ObjectLockMode = ""
	unsummed := locked("a", "x", s3types.ObjectLockModeGovernance, later)
	unsummed.ChecksumAlgorithm = ""
	for name, c := range map[string]struct {
		client *s3.Client
		in     *s3.PutObjectInput
		want   string
	}{
		"bucket without lock": {plain, locked("a", "x", s3types.ObjectLockModeGovernance, later), "InvalidRequest"},
		"date in the past":    {client, locked("a", "x", s3types.ObjectLockModeGovernance, time.Now().Add(-time.Hour)), "InvalidArgument"},
		"unknown mode":        {client, locked("a", "x", "FOREVER", later), "InvalidArgument"},
		"date without mode":   {client, half, "InvalidArgument"},
		"without a checksum":  {client, unsummed, "InvalidRequest"},
	} {
		if _, err := c.client.PutObject(context.Background(), c.in); codeOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
